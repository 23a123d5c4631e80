"""`list` and `info`."""

import pytest

from keras_convnets import _zoo, list_models


def nets_of(out):
    """The lines of the table of nets, and the names in it."""
    lines = [line for line in out[: out.index("next:")].splitlines() if line.strip()]
    names = {row.name for row in _zoo.rows()}
    return lines, [line.split()[0] for line in lines if line.split()[0] in names]


def test_list_shows_nets(run):
    code, out, _ = run("list")
    assert code == 0
    for word in (
        "LeNet5:modern",
        "Xception",
        "22.9M",
        "keras-convnets info",
        "keras-convnets recipes list",
    ):
        assert word in out
    assert sorted(nets_of(out)[1], key=str.lower) == sorted(list_models(), key=str.lower)


def test_list_fits_a_terminal_of_80_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("list")
    lines, _ = nets_of(out)
    (row,) = [line for line in lines if "InceptionResNetV2:paper" in line]
    figures = ["InceptionResNetV2:paper", "32.4M", "9.26G", "10.6", "299", "80.1"]
    assert row.split() == [*figures, "Szegedy", "2016"]
    assert max(map(len, lines)) <= 80
    assert "…" not in out


def test_list_takes_a_pattern(run):
    _, out, _ = run("list", "lenet*")
    lines, names = nets_of(out)
    assert names == ["LeNet5", "LeNet5:modern"]
    assert "60k 326k 0.04 32 (99.05) LeCun 1998" in " ".join(lines[-4].split() + lines[-3].split())


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        ("year", "LeNet5", "ResNeXt29:16x64d"),
        ("name", "AlexNet", "Xception"),
        ("parameters", "LeNet5", "VGG19:batch_norm"),
        ("macs", "LeNet5", "VGG19:batch_norm"),
        ("memory", "LeNet5", "Xception"),
    ],
)
def test_list_sorts(run, order, first, last):
    _, out, _ = run("list", "--sort", order)
    names = nets_of(out)[1]
    assert (names[0], names[-1]) == (first, last)


def test_list_filters_by_cost_and_data_and_sorts_by_accuracy(run):
    arguments = ["--max-params", "30M", "--max-macs", "6.5G", "--data", "imagenet"]
    _, out, _ = run("list", *arguments, "--sort", "top1")
    names = nets_of(out)[1]
    assert names[:3] == ["InceptionV3", "InceptionResNetV1", "ResNeXt50"]
    assert "Xception" not in names  # 8.4 G
    assert "LeNet5" not in names
    assert names[-2].startswith("GoogLeNet")
    assert names[-1] == "ResNet50V2:slim"  # whose accuracy is of larger images than its cost
    _, out, _ = run("list", "--data", "CIFAR-10")
    assert set(nets_of(out)[1]) == {row.name for row in _zoo.rows() if row.data == "CIFAR-10"}


@pytest.mark.parametrize("amount", ["many", "-3M", "0", "0.5", "1T", "nan", "inf", "1e999999"])
def test_amounts_are_numbers_of_at_least_1(run, amount):
    code, out, err = run("list", f"--max-macs={amount}")
    assert (code, out) == (2, "")
    assert "--max-macs should be a number of at least 1 such as 70k" in err


def test_info_shows_the_facts(run):
    code, out, _ = run("info", "xception", "--layers")
    assert code == 0
    for fact in (
        "22,855,952 (22,910,480 with statistics)",
        "8,357,403,496",
        "299 x 299 x 3",
        "block14_sepconv2_act",
        "79.0 %",
        "1610.02357",
        "SeparableConv2D",
    ):
        assert fact in out


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("resnext101:64x4d", ["ResNeXt101:64x4d", "83,455,272", "79.6 %", "32x4d, 64x4d, 32x8d"]),
        ("AlexNet:one_weird_trick", ["224 x 224 x 3, scaled as 'torch'", "pool5"]),
        ("vgg16:batch_norm", ["138,365,992", "73.36 %"]),
    ],
)
def test_info_shows_variants(run, name, facts):
    code, out, _ = run("info", name)
    assert code == 0
    for fact in facts:
        assert fact in out


def test_info_names_the_nearest(run):
    code, out, err = run("info", "xeption")
    assert (code, out) == (2, "")
    assert "nearest names are Xception" in err


def test_list_says_when_nothing_fits_and_knows_other_names(run):
    code, _, err = run("list", "nope*")
    assert code == 2
    assert "No net fits. Received: 'nope*'" in err
    code, _, err = run("list", "--data", "foo")
    assert code == 2
    assert "should be one of 'cifar-10', 'imagenet'" in err
    _, out, _ = run("list", "inceptionv1:s*")
    assert nets_of(out)[1] == ["GoogLeNet:slim"]


def test_list_marks_figures_that_are_not_of_one_crop(run):
    _, out, _ = run("list", "vgg16*", "--sort", "top1")
    lines, names = nets_of(out)
    assert names == ["VGG16:batch_norm", "VGG16", "VGG16C", "VGG16:separable"]
    assert "72.7*" in " ".join(lines)
