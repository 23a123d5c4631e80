"""Parameters and multiply-adds against the papers and public nets (sections of papers.md)."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from keras_convnets import count_complexity, get_model
from keras_convnets._registry import architectures, find_architecture
from keras_convnets._zoo import rows
from keras_convnets.analysis.weightless import weightless

ROWS = {row.name: row for row in rows()}

# Trainable parameters, with statistics, multiply-adds; `None` where no source has the figure.
PUBLISHED = {
    "LeNet5": (60_000, None, None),  # 1a
    "LeNet5:modern": (61_706, 61_706, None),  # 1d
    "AlexNet": (60_965_224, 60_965_224, 724_406_816),  # 15
    "AlexNet:paper": (60_965_224, 60_965_224, 724_406_816),
    "AlexNet:one_weird_trick": (61_100_840, 61_100_840, None),  # 2d
    "NIN": (966_986, 966_986, 222_486_528),  # 15
    "VGG11": (132_863_336, 132_863_336, 7.609e9),  # 4a
    "VGG13": (133_047_848, 133_047_848, 11.308e9),  # 11.309 there: a slip of rounding
    "VGG16C": (133_638_952, 133_638_952, 11.771e9),
    "VGG16": (138_357_544, 138_357_544, 15_470_264_320),  # 15
    "VGG19": (143_667_240, 143_667_240, 19_632_062_464),
    "VGG16:separable": (2_190_888, None, None),
    "GoogLeNet": (6_998_552, 6_998_552, 1_582_671_872),  # 15
    "GoogLeNet:torchvision": (6_624_904, None, 1.4984e9),
    "InceptionV2": (11_178_336, None, None),  # 6d
    "InceptionV2:caffe": (11_285_224, 11_305_256, 2_032_600_064),  # 15
    "InceptionV3": (23_817_352, 23_851_784, 5_713_216_096),
    "InceptionV4": (42_648_232, 42_711_400, 12_253_974_624),  # 8a
    "InceptionResNetV1": (22_742_808, 22_769_848, 6.206e9),
    "InceptionResNetV2": (55_813_192, 55_873_736, 13_155_794_016),  # 15
    "InceptionResNetV2:paper": (32_417_496, 32_450_360, 9.258e9),  # 8a
    "Xception": (22_855_952, 22_910_480, 8_357_403_496),  # 15
    "ResNet18": (11_689_512, 11_699_112, 1.8141e9),
    "ResNet34": (21_797_672, 21_814_696, 3.6638e9),
    "ResNet50": (25_583_592, 25_636_712, 3_857_973_248),
    "ResNet50:v1": (25_557_032, 25_610_152, 3_857_973_248),
    "ResNet50:v1.5": (25_557_032, 25_610_152, 4.089e9),  # 10a
    "ResNet50:slim": (25_557_032, 25_610_152, 3_857_973_248),  # as "v1"
    "ResNet101": (None, 44_707_176, 7_570_194_432),
    "ResNet101:v1": (44_549_160, 44_654_504, 7_570_194_432),  # 15
    "ResNet101:v1.5": (44_549_160, 44_654_504, 7.801e9),  # 10a
    "ResNet101:slim": (44_549_160, 44_654_504, 7_570_194_432),  # as "v1"
    "ResNet152": (None, 60_419_944, 11_282_415_616),
    "ResNet152:v1": (60_192_808, 60_344_232, 11_282_415_616),  # 15
    "ResNet152:v1.5": (60_192_808, 60_344_232, 11.514e9),  # 10a
    "ResNet152:slim": (60_192_808, 60_344_232, 11_282_415_616),  # as "v1"
    "ResNet50V2": (None, 25_613_800, 3.482e9),  # 11
    "ResNet50V2:slim": (None, 25_613_800, 3.482e9),  # as Keras'
    "ResNet101V2:slim": (None, 44_675_560, None),
    "ResNet152V2:slim": (None, 60_380_648, None),
    "ResNet200V2": (64_666_152, None, 15.01e9),
    "ResNetCIFAR": (269_722, None, None),  # 10c
    "ResNetCIFAR:32": (464_154, None, None),
    "ResNetCIFAR:44": (658_586, None, None),
    "ResNetCIFAR:56": (853_018, None, None),
    "ResNetCIFAR:110": (1_727_962, None, None),
    "ResNetCIFAR:1202": (19_421_274, None, None),
    "ResNeXt50": (25_028_904, 25_097_128, 4_230_479_872),  # 15
    "ResNeXt101": (44_177_704, 44_315_560, 7_969_996_800),
    "ResNeXt101:64x4d": (83_455_272, 83_658_152, 15_460_270_080),
    "ResNeXt101:32x8d": (88_791_336, None, 16_414_015_488),
    "ResNeXt29": (34_426_698, None, 5_387_266_048),
    "ResNeXt29:16x64d": (68_155_210, None, 10_688_866_304),
    # From torchvision's own nets, whose graphs the golden files compare.
    "VGG11:batch_norm": (132_868_840, None, None),
    "VGG13:batch_norm": (133_053_736, None, None),
    "VGG16:batch_norm": (138_365_992, None, None),
    "VGG19:batch_norm": (143_678_248, None, None),
}
# Nets that keras.applications has, which are compared there, and those that no source counts.
ELSEWHERE = {"ResNet101V2", "ResNet152V2", "ResNet152V2:paper", "GoogLeNet:slim"}

TEMPLATES = {  # papers.md 12a: parameters, multiply-adds in G
    (50, 1, 64): (25_557_032, 4.089),
    (50, 2, 40): (25_425_000, 4.125),
    (50, 4, 24): (25_292_968, 4.160),
    (50, 8, 14): (25_603_016, 4.267),
    (101, 1, 64): (44_549_160, 7.801),
    (101, 2, 40): (44_456_296, 7.844),
    (101, 4, 24): (44_363_432, 7.886),
    (101, 8, 14): (45_104_328, 8.077),
    (101, 1, 100): (85_611_336, 15.273),
    (101, 2, 64): (84_198_184, 15.123),
    (29, 1, 64): (4_914_250, None),  # 12d
    (29, 2, 64): (9_130_314, None),
    (29, 4, 64): (17_562_442, None),
}

OPTIONS = {  # what else the sources count: net and options, field, figure
    ("VGG16", "include_top"): (False, "total", 14_714_688),  # 4a
    ("VGG19", "include_top"): (False, "total", 20_024_384),
    ("ResNet50", "include_top"): (False, "total", 23_587_712),  # keras_compat.md 2
    ("ResNet50V2", "include_top"): (False, "total", 23_564_800),
    ("ResNeXt29", "classes"): (100, "trainable", 34_518_948),  # 15
    ("ResNeXt29:16x64d", "classes"): (100, "trainable", 68_247_460),
}


REPORTED = {  # top-1 error, from papers.md 2c, 3c, 4c, 10c, 10d, 11, 12d and keras_compat.md 3, 7
    "AlexNet:paper": 40.7,
    "NIN": 10.41,
    "VGG16": 28.732,
    "VGG16C": 27.3,
    "VGG19": 28.744,
    "ResNet18": 30.43,
    "ResNet34": 26.73,
    "ResNet50": 25.072,
    "ResNet50:v1": 24.7,
    "ResNet101": 23.58,
    "ResNet101:v1": 23.6,
    "ResNet152": 23.396,
    "ResNet152:v1": 23.0,
    "ResNetCIFAR": 8.75,
    "ResNetCIFAR:32": 7.51,
    "ResNetCIFAR:44": 7.17,
    "ResNetCIFAR:56": 6.97,
    "ResNetCIFAR:110": 6.43,
    "ResNetCIFAR:1202": 7.93,
    "ResNet50V2": 24.04,
    "ResNet101V2": 22.766,
    "ResNet152V2": 21.968,
    "ResNet152V2:paper": 21.1,
    "ResNet200V2": 21.66,
    "ResNeXt50": 22.2,
    "ResNeXt101": 21.2,
    "ResNeXt101:64x4d": 20.4,
    "ResNeXt29": 3.65,
    "ResNeXt29:16x64d": 3.58,
    "InceptionV3": 21.2,
    "InceptionV4": 20.0,
    "InceptionResNetV1": 21.3,
    "InceptionResNetV2": 19.9,
    "Xception": 21.0,
    "LeNet5": 0.95,
}
ACCURACY = {  # the same as accuracy, of torchvision's weights, Caffe's and TF-slim's
    "AlexNet": 57.1,
    "AlexNet:one_weird_trick": 56.522,
    "VGG11": 69.02,
    "VGG13": 69.928,
    "VGG11:batch_norm": 70.37,
    "VGG13:batch_norm": 71.586,
    "VGG16:batch_norm": 73.36,
    "VGG19:batch_norm": 74.218,
    "GoogLeNet": 68.7,
    "GoogLeNet:torchvision": 69.778,
    "ResNet50:v1.5": 76.13,
    "ResNet101:v1.5": 77.374,
    "ResNet152:v1.5": 78.312,
    "ResNet50:slim": 75.2,  # keras_compat.md 8
    "ResNet101:slim": 76.4,
    "ResNet152:slim": 76.8,
    "ResNet50V2:slim": 75.6,
    "ResNet101V2:slim": 77.0,
    "ResNet152V2:slim": 77.8,
    "ResNeXt101:32x8d": 79.312,
}


def cost_of(name, **options):
    return weightless(lambda: count_complexity(get_model(name, weights=None, **options)))


def close(found, published):
    """Equal, or equal to as many digits as a rounded figure has."""
    digits = 4 if isinstance(published, int) else len(f"{published / 1e9:g}".replace(".", ""))
    return found == published or (
        isinstance(published, float) and float(f"{found:.{digits - 1}e}") == published
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_on_record_are_the_published_ones(name):
    row = ROWS[name]
    for found, published in zip((row.trainable, row.total, row.macs), PUBLISHED[name], strict=True):
        assert published is None or close(found, published), (found, published)


def test_every_net_has_a_published_count_or_a_twin():
    assert set(PUBLISHED) | ELSEWHERE == set(ROWS)
    assert not set(PUBLISHED) & ELSEWHERE


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: "{}-{}x{}d".format(*t))
def test_counts_of_the_templates_of_resnext(template):
    depth, cardinality, width = template
    trainable, macs = TEMPLATES[template]
    cost = cost_of(f"ResNeXt{depth}", cardinality=cardinality, bottleneck_width=width)
    assert cost.trainable == trainable
    assert macs is None or round(cost.macs / 1e9, 3) == macs


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_counts_of_options(name, option):
    value, field, published = OPTIONS[name, option]
    shape = find_architecture(name)[1].input_shape
    assert getattr(cost_of(name, input_shape=shape, **{option: value}), field) == published


def test_the_record_tells_what_the_registry_does():
    for entry in architectures().values():
        for name, variant in zip(entry.names, entry.variants.values(), strict=True):
            row = ROWS[name]
            assert (row.input, row.top1) == (variant.input_shape, variant.reported.top1)
            assert row.data == variant.reported.data
            assert (row.year, row.authors) == (entry.paper.year, entry.paper.short_authors)


def test_reported_accuracies_are_those_of_the_sources():
    found = {name: ROWS[name].top1 for name in (*REPORTED, *ACCURACY)}
    expected = {name: round(100 - error, 3) for name, error in REPORTED.items()} | ACCURACY
    assert found == expected


def test_tables_are_made_from_the_record():
    path = Path(__file__).parents[2] / "scripts" / "count_nets.py"
    spec = importlib.util.spec_from_file_location("count_nets", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    table = rows()
    for page, render in script.TABLES.items():
        assert script.MARKED.search(page.read_text()).group() == render(table)
    assert "| `ResNeXt50` | 25.0M | 4.23G |" in script.in_brief(table)
    changed = [dataclasses.replace(table[0], macs=1), *table[1:]]
    assert script.in_full(changed) != script.in_full(table)
