"""`weights list`, `info` and `download`, without a network."""

import json
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

import keras_convnets
from keras_convnets._registry import architectures, variant_of
from keras_convnets.imagenet_utils import preprocess_input
from keras_convnets.weights import catalog

from ..weights.peers.drawing import Golden
from ..weights.peers.write_torch import write_safetensors

CACHED = catalog.find("ResNet18.timm_a1")  # a file without a published hash


@pytest.fixture(scope="module")
def file_of_timm(tmp_path_factory):
    path = tmp_path_factory.mktemp("timm") / CACHED.file.name
    write_safetensors(Golden.load("torchvision_resnet18"), path)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache; names are not resolved."""

    def no_network(*args, **options):
        raise OSError(-3, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.getaddrinfo", no_network)
    monkeypatch.setenv("KERAS_CONVNETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def cached(cache, file_of_timm):
    """The path of the one file in the cache."""
    path = cache / CACHED.file.name
    path.symlink_to(file_of_timm)
    return path


def table_of(out):
    """The lines of the table of weights."""
    return out[: out.index("\nvariant: ")].splitlines()


def rows_of(out):
    """The lines of entries, by name."""
    return {line.split()[0]: line for line in table_of(out)[2:] if line}


@pytest.mark.usefixtures("cached")
def test_list_shows_every_entry_in_the_order_of_the_catalog(run):
    code, out, _ = run("weights", "list")
    assert code == 0
    rows = rows_of(out)
    assert list(rows) == [entry.name for entry in catalog.entries()]
    expected = "ResNet18.timm_a1 73.2 91.0 288 11.7 Apache-2.0 safetensors yes"
    assert rows["ResNet18.timm_a1"].split() == expected.split()
    expected = "ResNeXt101.cadene_64x4d 64x4d 79.0 94.3 224 83.7 BSD pth"
    assert rows["ResNeXt101.cadene_64x4d"].split() == expected.split()
    assert sum(line.rstrip().endswith("yes") for line in rows.values()) == 1
    for row in catalog.NOT_LOADABLE:
        assert f"  {row.what}: {row.why[:20]}" in out


@pytest.mark.parametrize(
    ("columns", "header"),
    [
        (100, "weights variant top1 top5 px M licence format here"),
        (80, "weights variant top1 px M licence here"),
        (70, "weights top1 px M licence here"),
    ],
)
def test_list_leaves_columns_out_before_it_cuts_any(run, monkeypatch, columns, header):
    monkeypatch.setenv("COLUMNS", str(columns))
    _, out, _ = run("weights", "list")
    assert table_of(out)[0].split() == header.split()
    assert list(rows_of(out)) == [entry.name for entry in catalog.entries()]
    assert "…" not in "".join(table_of(out))
    assert max(map(len, out.splitlines())) <= columns
    left_out = "format, top5" if columns == 80 else "format, top5, variant"
    assert (f"left out at this width: {left_out}\n" in out) == (columns < 100)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("RESNET50.torch*", ["ResNet50.torchvision_v1", "ResNet50.torchvision_v2"]),
        ("vgg13", ["VGG13.torchvision", "VGG13.torchvision_bn"]),
    ],
)
def test_list_takes_a_pattern_or_a_builder(run, pattern, names):
    _, out, _ = run("weights", "list", pattern)
    assert list(rows_of(out)) == names


def test_list_says_when_nothing_fits(run):
    for verb in ("list", "download"):
        code, out, err = run("weights", verb, "nope*")
        assert (code, out) == (2, "")
        assert "No weights have such a name. Received: 'nope*'" in err


def test_json_has_what_the_catalog_has(run, cached):
    _, out, _ = run("weights", "list", "--json")
    found = {fields["name"]: fields for fields in json.loads(out)}
    assert list(found) == [entry.name for entry in catalog.entries()]
    for entry in catalog.entries():
        fields = found[entry.name]
        assert (fields["options"], fields["top1"]) == (entry.options, entry.top1)
        assert (fields["file"]["url"], fields["licence"]) == (entry.file.url, entry.licence)
        assert fields["cached"] == (entry is CACHED)
    assert found[CACHED.name]["path"] == str(cached)
    assert found["InceptionV4.slim"]["format"] == "ckpt"


def test_variants_are_those_of_the_registry(run):
    _, out, _ = run("weights", "list", "--json")
    for fields in json.loads(out):
        architecture = architectures()[fields["builder"]]
        variant = variant_of(architecture, fields["options"])
        has_name = fields["options"].keys() <= variant.options.keys()
        name = architecture.name_of(variant).partition(":")[2]
        assert fields["variant"] == (name if has_name or not fields["options"] else None)


def test_reasons_are_told_in_full(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("weights", "list", "--not-loadable")
    assert code == 0
    words = " ".join(out.split())
    for row in catalog.NOT_LOADABLE:
        assert row.where in out
        assert f"{row.what} {row.where} {row.why}" in words


def test_info_tells_every_field(run, cached):
    code, out, _ = run("weights", "info", "resnet18.TIMM_a1")
    assert code == 0
    words = " ".join(out.split())
    for fact in (
        "net ResNet18 published by timm licence Apache-2.0 accuracy top-1 73.158 %, top-5 91.026 %,"
        " one crop (huggingface/pytorch-image-models results/results-imagenet.csv)",
        "parameters 11,699,112 with statistics",
        "the shorter side resized to 288 px (bicubic), of which the central 288 x 288 are taken",
        f"file {CACHED.file.url} hash none published; that of the first download is kept",
        f"in the cache {cached} ({cached.stat().st_size / 1e6:.1f} MB)",
    ):
        assert fact in words


def test_info_tells_of_the_hash_the_origin_and_the_file_without_the_top(run, cache):
    _, out, _ = run("weights", "info", "ResNet50.keras")
    entry = catalog.find("ResNet50.keras")
    for file in (entry.file, entry.headless):
        assert file.hash in out
        assert f"{cache / file.name} (not there yet)" in out
    assert "ported from   Caffe, KaimingHe/deep-residual-networks" in out


@pytest.mark.parametrize(
    "name",
    [
        "VGG16.keras",
        "VGG16.slim",
        "Xception.keras",
        "ResNet50.torchvision_v2",
        "AlexNet.caffe",
        "InceptionV2.cadene",
    ],
)
def test_the_scaling_is_a_formula_that_is_true(run, name):
    _, out, _ = run("weights", "info", name)
    words = " ".join(out.split())
    channels, formula, mode = re.search(
        r"in the order (.*?) become (.*) \(mode '(\w+)'\)", words
    ).groups()
    assert mode == catalog.find(name).preprocessing
    image = np.array([[[250.0, 100.0, 3.0]]])
    p = image[..., ["RGB".index(channel) for channel in channels.split(", ")]]
    by_hand = eval(formula, {"p": p})  # noqa: S307 - our own output
    np.testing.assert_allclose(by_hand, preprocess_input(image, mode=mode), rtol=1e-6)


@pytest.mark.usefixtures("cached")
def test_the_line_of_python_loads_the_weights_in_their_size(run):
    _, out, _ = run("weights", "info", CACHED.name)
    line = re.search(r"^Python: (.*)$", out, re.MULTILINE)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no hash is published
        model = eval(line, {"keras_convnets": keras_convnets})  # noqa: S307 - our own output
    assert model.input_shape == (None, 288, 288, 3)
    assert keras_convnets.weights.preprocessing(model).size == 288


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("AlexNet.torchvision", ""),
        ("AlexNet.caffe", ""),
        ("ResNet50V2.keras", ", input_shape=(299, 299, 3)"),
    ],
)
def test_the_size_is_named_where_it_is_not_that_of_the_net(run, name, shape):
    assert f'keras_convnets.get_model("{name}"{shape})\n' in run("weights", "info", name)[1]


@pytest.mark.parametrize(
    ("name", "net"),
    [
        ("ResNet50.torchvision_v2", "--model ResNet50:v1.5 "),
        ("VGG16.torchvision_bn", "--model VGG16:batch_norm "),
        ("VGG16.torchvision", "--model VGG16 "),
        ("InceptionV3.timm_tf", ""),  # no name says which options it has
    ],
)
def test_info_names_the_net_to_fine_tune(run, name, net):
    _, out, _ = run("weights", "info", name)
    assert f"train fine_tune {net}--weights {name} --data folder:DIR" in out


def test_info_names_the_nearest(run):
    code, out, err = run("weights", "info", "resnet50.kera")
    assert (code, out) == (2, "")
    assert "nearest names are ResNet50.keras" in err


def test_download_checks_what_is_there_and_says_how(run, cached):
    code, out, _ = run("weights", "download", CACHED.name)
    assert code == 0
    size = f"{cached.stat().st_size / 1e6:.1f} MB"
    assert f"{CACHED.name}: {size}, No hash is published for '{cached.name}'; its sha256" in out
    assert f"\n  {cached}\n" in out
    code, out, _ = run("weights", "download", "resnet18.timm_?1", CACHED.name)
    assert (code, out.count(f"{CACHED.name}: {size}, sha256 as when it was used first")) == (0, 1)
    cached.with_name(f"{cached.name}.sha256").write_text(f"{'0' * 64}  {cached.name}\n")
    code, out, err = run("weights", "download", CACHED.name)
    assert (code, out) == (1, "")
    assert "has changed since it was used first" in err


def test_download_goes_on_after_a_failure(run, cached):
    code, out, err = run("weights", "download", "ResNet18.timm_a2", CACHED.name)
    assert code == 3
    assert str(cached) in out
    assert "resnet18.a2_in1k/resolve/main/model.safetensors can't be downloaded: Temporary" in err
    assert f"a copy from elsewhere belongs into {str(cached.parent)!r}" in err
    assert len(err.strip().splitlines()) == 1
    code, out, err = run("weights", "download", "resnet18.timm_a[23]")
    assert (code, out, len(err.strip().splitlines())) == (1, "", 2)


@pytest.mark.usefixtures("cached")
def test_download_knows_all_names_before_it_starts(run):
    code, out, err = run("weights", "download", CACHED.name, "ResNet18.timm_a4")
    assert (code, out) == (2, "")
    assert "nearest names are ResNet18.timm_a" in err


def test_download_takes_the_files_without_the_top(run):
    _, _, err = run("weights", "download", "--headless", "VGG16.keras", "VGG16.torchvision")
    keras, torchvision = err.strip().splitlines()
    assert "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 can't be downloaded" in keras
    assert "vgg16-397923af.pth can't be downloaded" in torchvision  # the only one that there is
    _, _, err = run("weights", "download", "VGG16.keras")
    assert "vgg16_weights_tf_dim_ordering_tf_kernels.h5 can't be downloaded" in err


@pytest.mark.usefixtures("cached")
@pytest.mark.parametrize(
    "arguments", [["--help"], ["convert", "--help"], ["list"], ["download", CACHED.name]]
)
def test_what_shows_and_fetches_needs_no_keras(arguments):
    code = (
        "import sys, keras_convnets.cli\n"
        f"try: keras_convnets.cli.main({['weights', *arguments]})\n"
        "except SystemExit as stop: assert not stop.code and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
