"""What the catalog says of public weights, recomputed wherever no download is needed."""

import inspect
import re

import pytest

from keras_convnets import _zoo
from keras_convnets._registry import architectures, variant_of
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.imagenet_utils import SCALINGS
from keras_convnets.weights import catalog

ENTRIES = [entry for publisher in catalog._PUBLISHERS for entry in publisher.ENTRIES]
FILES = [file for entry in ENTRIES for file in (entry.file, entry.headless) if file]
ZOO = {row.name: row for row in _zoo.rows()}
DIGITS = {"md5": 32, "sha1": 40, "sha256": 64}


def graphs():
    """Each graph once, with all weights for it."""
    found = {}
    for entry in ENTRIES:
        found.setdefault((entry.builder, *sorted(entry.options.items())), []).append(entry)
    return [pytest.param(entries, id=entries[0].name) for entries in found.values()]


def test_names_of_entries_and_files_are_unique():
    assert len(ENTRIES) > 100
    for names in ([entry.name for entry in ENTRIES], [file.name for file in FILES]):
        assert len({name.lower() for name in names}) == len(names)


def test_names_are_the_builder_the_source_and_a_version():
    for entry in ENTRIES:
        assert re.fullmatch(r"[A-Z]\w+\.[a-z]+(_[a-z0-9]+)*", entry.name)
        assert entry.name.split(".")[0] == entry.builder


@pytest.mark.parametrize("entries", graphs())
def test_options_are_those_of_the_builder_and_differ_from_its_defaults(entries):
    parameters = inspect.signature(architectures()[entries[0].builder].builder).parameters
    for name, value in entries[0].options.items():
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default != value


@pytest.mark.parametrize("entries", graphs())
def test_parameters_are_those_of_the_net(entries):
    architecture, options = architectures()[entries[0].builder], entries[0].options
    variant = variant_of(architecture, options)
    if options.keys() <= variant.options.keys():  # then other tests build it
        count = ZOO[architecture.name_of(variant)].total
    else:
        count = weightless(lambda: architecture.builder(weights=None, **options).count_params())
    assert {entry.parameters for entry in entries} == {count}


def test_images_are_cropped_and_scaled_in_a_known_way():
    for entry in ENTRIES:
        assert entry.preprocessing in SCALINGS, entry.name
        assert entry.interpolation in ("bilinear", "bicubic"), entry.name
        assert entry.classes == 1000, entry.name
        assert 224 <= entry.input_size <= entry.resize < 1.2 * entry.input_size, entry.name


def test_accuracy_is_in_per_cent_and_has_a_source():
    for entry in ENTRIES:
        if entry.top1 is None:
            assert (entry.top5, entry.measured) == (None, "not reported"), entry.name
        else:
            assert 50 < entry.top1 < entry.top5 < 100, entry.name
            assert re.fullmatch(r"[\w.-]+/[\w.-]+ [\w/.-]+", entry.measured), entry.name


def test_licences_and_sources_are_told():
    known = ("MIT", "BSD", "Apache-2.0", "CC BY 4.0", "CC BY-NC 4.0", "unrestricted", "unknown")
    for entry in ENTRIES:
        assert entry.licence in known, entry.name
        assert entry.source, entry.name
        assert entry.ported_from != "", entry.name


def test_hashes_are_whole_or_at_least_eight_digits_of_sha256():
    for file in FILES:
        if file.hash is not None:
            kind, digits = file.hash.split(":")
            assert re.fullmatch("[0-9a-f]+", digits), file.name
            assert len(digits) == DIGITS[kind] or (kind == "sha256" and len(digits) >= 8), file.name


def test_addresses_end_in_the_name_of_the_file():
    for file in FILES:
        scheme, _, address = file.url.partition("://")
        assert scheme in ("http", "https"), file.name
        if address.startswith("huggingface.co/"):  # where each net's file has the same name
            net = re.fullmatch(r"[\w.]+/timm/(.+)/resolve/main/model.safetensors", address)[1]
            assert file.name == f"timm_{net}.safetensors"
        else:
            assert address.endswith(f"/{file.name}")


def test_torch_hashes_are_the_digits_in_the_name_of_the_file():
    entries = [entry for entry in ENTRIES if entry.file.name.endswith(".pth")]
    assert {entry.source for entry in entries} == {"torchvision", "Cadene", "timm"}
    for entry in entries:
        digits = re.search(r"-([0-9a-f]{8,9})\.pth$", entry.file.name)[1]
        assert entry.file.hash == f"sha256:{digits}"


def test_archives_have_members_and_other_files_have_none():
    for file in FILES:
        assert (file.member is not None) == file.name.endswith(".tar.gz")
        assert file.member is None or file.member.endswith(".ckpt")


def test_every_builder_with_weights_has_some_for_its_default_graph():
    assert catalog.imagenet_builders() == sorted({entry.builder for entry in ENTRIES})
    for builder in catalog.imagenet_builders():
        assert catalog.imagenet_entry(builder, {}).builder == builder


@pytest.mark.parametrize(
    ("builder", "options", "name"),
    [
        ("AlexNet", {}, "AlexNet.caffe"),
        ("GoogLeNet", {}, "GoogLeNet.caffe"),
        ("GoogLeNet", {"variant": "slim"}, "GoogLeNet.slim"),
        ("InceptionV2", {}, "InceptionV2.slim"),
        ("InceptionV2", {"variant": "caffe"}, "InceptionV2.cadene"),
        ("InceptionV3", {}, "InceptionV3.keras"),
        ("InceptionV4", {}, "InceptionV4.timm"),
        ("VGG13", {}, "VGG13.torchvision"),
        ("VGG16", {}, "VGG16.keras"),
        ("ResNet34", {}, "ResNet34.torchvision_v1"),
        ("ResNet50", {}, "ResNet50.keras"),
        ("ResNet50", {"variant": "v1.5"}, "ResNet50.torchvision_v1"),
        ("ResNet101", {"variant": "slim"}, "ResNet101.slim"),
        ("ResNet152V2", {"variant": "slim"}, "ResNet152V2.slim"),
        ("ResNeXt50", {}, "ResNeXt50.torchvision_v1"),
        # Torchvision has none, and epsilon is another in Keras' file.
        ("ResNeXt101", {}, "ResNeXt101.timm_gluon"),
        ("ResNet152V2", {}, "ResNet152V2.keras"),
    ],
)
def test_imagenet_stands_for_the_weights_that_users_expect(builder, options, name):
    assert catalog.imagenet_entry(builder, options).name == name


def test_a_graph_without_weights_has_no_imagenet_entry():
    assert catalog.imagenet_entry("ResNet50", {"variant": "v1"}) is None
    assert catalog.imagenet_entry("LeNet5", {}) is None


def test_imagenet_of_a_net_of_keras_is_that_of_keras():
    for entry in catalog.entries("*.keras"):
        if not entry.builder.startswith("ResNeXt"):  # which Keras no longer builds
            assert catalog.imagenet_entry(entry.builder, {}) is entry


def test_entries_are_found_by_a_pattern_in_any_case():
    assert catalog.entries() == ENTRIES
    names = [entry.name for entry in catalog.entries("RESNET50.torch*")]
    assert names == ["ResNet50.torchvision_v1", "ResNet50.torchvision_v2"]
    assert catalog.entries("nothing*") == []


def test_an_entry_is_found_by_its_name_in_any_case():
    assert catalog.find("inceptionv4.TIMM") is catalog.imagenet_entry("InceptionV4", {})


def test_a_name_that_is_none_is_answered_by_the_nearest():
    with pytest.raises(InputError, match="'ResNet50.torchvison'.* ResNet50.torchvision_v1"):
        catalog.find("ResNet50.torchvison")


def test_what_cannot_be_loaded_has_an_address_and_a_reason_and_points_at_known_weights():
    names = r"\b[A-Z]\w+\.(?:keras|cadene|timm|slim|torchvision|caffe)\w*"
    for row in catalog.NOT_LOADABLE:
        assert "http" in row.where, row.what
        assert row.why, row.what
        for name in re.findall(names, row.why):
            assert catalog.find(name).name == name
