"""`weights convert` and `weights verify`: what fits comes through, and nothing else does."""

import dataclasses
import os
import pickle

import keras
import numpy as np
import pytest
import safetensors.numpy

import keras_convnets
from keras_convnets.deployment import ModelCard, find_model, save_model
from keras_convnets.imagenet_utils import class_names
from keras_convnets.weights import catalog, load

from ..weights.peers.drawing import Golden, draw
from ..weights.peers.write_torch import write_pth, write_safetensors

ENTRY = catalog.find("ResNet18.timm_a1")  # a file without a published hash
NET = ("--model", "LeNet5:modern")
PEER = Golden.load("torchvision_resnet18")


@pytest.fixture(scope="module")
def file_of_timm(tmp_path_factory):
    path = tmp_path_factory.mktemp("timm") / ENTRY.file.name
    write_safetensors(PEER, path)
    return path


@pytest.fixture(autouse=True)
def cached(tmp_path, monkeypatch, file_of_timm):
    """The path of the one file in the cache, whose sha256 is on record."""
    monkeypatch.setenv("KERAS_CONVNETS_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "cache" / ENTRY.file.name
    path.parent.mkdir()
    path.symlink_to(file_of_timm)
    return path


@pytest.fixture
def lenet(tmp_path, randomize):
    """A LeNet-5 of seven classes and the path of its weights."""
    net = randomize(keras_convnets.LeNet5(variant="modern", classes=7))
    net.save_weights(tmp_path / "lenet.weights.h5")
    return net, tmp_path / "lenet.weights.h5"


def left(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "cache")


def equal(net, other):
    for a, b in zip(net.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    return True


def test_an_entry_becomes_a_model_with_its_card(run, tmp_path):
    out = tmp_path / "new" / "net.keras"
    code, text, notes = run("weights", "convert", ENTRY.name, out)
    assert code == 0
    assert notes.startswith("note: No hash is published for")
    assert len(notes.splitlines()) == 1
    for line in (
        f"{ENTRY.name}: 41 layers loaded\n",
        f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB)\n",
        f"wrote {out.with_suffix('.json')}: 1,000 classes, from 'tench' to 'toilet_tissue'; images "
        "of 288 px, scaled as 'torch'\n",
        f"next: keras-convnets predict {out} IMAGE...\n",
    ):
        assert line in text
    model, card = find_model(out)
    assert (card.builder, card.options) == ("ResNet18", {"input_shape": [288, 288, 3]})
    assert (card.licence, card.classes) == ("Apache-2.0", tuple(name for _, name in class_names()))
    assert card.preprocessing == keras_convnets.weights.preprocessing(ENTRY)
    kernel = draw("conv1.weight", PEER.shapes["conv1.weight"]).transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(model.get_layer("conv1_conv").get_weights()[0], kernel)
    assert left(out.parent) == ["net.json", "net.keras"]
    assert run("weights", "verify", out)[0] == 0


def test_a_file_of_fewer_classes_brings_its_number_of_them(run, tmp_path):
    """As those have that were fine-tuned elsewhere."""
    shapes = {**PEER.shapes, "fc.weight": (5, 512), "fc.bias": (5,)}
    write_pth(dataclasses.replace(PEER, shapes=shapes), tmp_path / "tuned.pth")
    out = tmp_path / "tuned.safetensors"
    code, text, _ = run("weights", "convert", tmp_path / "tuned.pth", out, "--model", "resnet18")
    assert code == 0
    assert "tuned.pth': 41 layers loaded" in text
    tensors = safetensors.numpy.load_file(out)
    np.testing.assert_array_equal(
        tensors["predictions/kernel"], draw("fc.weight", (5, 512)).transpose()
    )
    np.testing.assert_array_equal(
        tensors["conv1_bn/moving_variance"], draw("bn1.running_var", (64,))
    )
    code, _, err = run(
        "weights",
        "convert",
        tmp_path / "tuned.pth",
        out,
        "--model",
        "resnet18",
        "--set",
        "classes=6",
    )
    assert (code, "has 5 classes; leave `classes` out. Received: classes=6" in err) == (2, True)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".safetensors"])
def test_files_convert_into_each_format_and_load_again(run, tmp_path, lenet, suffix):
    net, path = lenet
    out = tmp_path / f"out{suffix}"
    code, text, _ = run("weights", "convert", path, out, *NET)
    assert (code, f"wrote {out} (" in text) == (0, True)
    twin = keras_convnets.LeNet5(variant="modern", classes=7)
    assert load(twin, out).matched
    assert equal(twin, net)
    assert (out.stat().st_mode & 0o777) == (path.stat().st_mode & 0o777)
    assert left(tmp_path) == sorted(
        {path.name, out.name, *(["out.json"] if suffix == ".keras" else [])}
    )
    if suffix != ".keras":
        assert f"next: keras_convnets.weights.load(model, {str(out)!r})" in text
        assert run("weights", "verify", out, *NET)[0] == 0


def test_the_card_of_a_file_says_what_is_known(run, tmp_path, lenet):
    out = tmp_path / "out.keras"
    run("weights", "convert", lenet[1], out, *NET, "--preprocessing", "raw")
    card = ModelCard.read(out)
    assert card.classes == tuple(f"class_{i}" for i in range(7))
    assert (card.builder, card.variant, card.preprocessing.mode) == ("LeNet5", "modern", "raw")
    assert card.licence == "unknown: that of lenet.weights.h5"
    run("weights", "convert", lenet[1], out, *NET)
    assert ModelCard.read(out).preprocessing.mode == "lenet"  # that of the net
    run("weights", "convert", lenet[1], out, *NET, "--set", "include_preprocessing=torch")
    assert ModelCard.read(out).preprocessing.mode == "raw"  # the net scales them itself


def test_a_saved_model_keeps_its_card(run, tmp_path, red_or_blue):
    for name in ("out.keras", "out.weights.h5"):
        code, _, _ = run("weights", "convert", red_or_blue, tmp_path / name)
        assert code == 0
    assert ModelCard.read(tmp_path / "out.keras") == ModelCard.read(red_or_blue)
    assert equal(*(find_model(path)[0] for path in (tmp_path / "out.keras", red_or_blue)))
    code, out, _ = run("weights", "verify", red_or_blue)
    assert (code, out.startswith("sound\n")) == (0, True)


def test_a_run_is_a_source(run, tmp_path, red_or_blue):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "recipe.json").write_text("{}")
    for suffix in (".keras", ".json"):
        (folder / f"model{suffix}").write_bytes(red_or_blue.with_suffix(suffix).read_bytes())
    assert run("weights", "convert", folder, tmp_path / "out.keras")[0] == 0
    assert ModelCard.read(tmp_path / "out.keras").classes == ("blue", "red")


def test_a_net_beside_a_card_is_one_too_many(run, tmp_path, red_or_blue):
    """Or the names of the classes would be lost."""
    for source in (red_or_blue, tmp_path):
        code, _, err = run("weights", "convert", source, tmp_path / "a.keras", *NET)
        assert (code, "says itself which net it is for" in err) == (2, True)
    assert not (tmp_path / "a.keras").exists()


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("classifier_activation=foo", "Could not interpret activation function identifier: foo"),
        ("name=3", "Argument `name` must be a string"),
        ("name='a b/c'", "Argument `name` must be a string"),
    ],
)
@pytest.mark.parametrize("verb", ["verify", "convert"])
def test_a_net_that_keras_does_not_build_is_bad_input(run, tmp_path, lenet, verb, setting, reason):
    out = [tmp_path / "out.keras"] if verb == "convert" else []
    code, _, err = run("weights", verb, lenet[1], *out, *NET, "--set", setting)
    assert code == 2
    assert f"can't be built: {reason}" in err
    assert "LeNet5(variant='modern', " in err


def test_an_unknown_suffix_is_bad_input(run, tmp_path):
    (tmp_path / "t.bin").write_bytes(b"weights")
    code, _, err = run("weights", "verify", tmp_path / "t.bin", *NET)
    assert (code, err.startswith("A file of weights should end in one of")) == (2, True)


def test_nets_without_a_top_have_weights_but_no_classes(run, tmp_path):
    keras_convnets.ResNetCIFAR(8).save_weights(tmp_path / "net.weights.h5")
    net = ("--model", "ResNetCIFAR", "--set", "depth=8")
    headless = (*net, "--set", "include_top=False")
    source, out = tmp_path / "net.weights.h5", tmp_path / "trunk.safetensors"
    assert run("weights", "convert", source, out, *headless)[0] == 0
    assert "predictions/kernel" not in safetensors.numpy.load_file(out)
    code, _, err = run("weights", "convert", source, tmp_path / "trunk.keras", *headless)
    assert (code, "write .weights.h5 or .safetensors" in err) == (2, True)
    code, _, err = run("weights", "verify", out, *net)
    assert code == 1
    assert "'predictions', the classifier of ResNetCIFAR; with `include_top=False` it needs" in err
    assert left(tmp_path) == ["net.weights.h5", "trunk.safetensors"]


def test_the_variables_of_every_net_have_a_name_in_safetensors(run, tmp_path):
    net = keras_convnets.LeNet5()
    net.save_weights(tmp_path / "paper.weights.h5")
    out = tmp_path / "a.safetensors"
    assert run("weights", "convert", tmp_path / "paper.weights.h5", out, *NET[:1], "lenet5")[0] == 0
    assert load(keras_convnets.LeNet5(), out).matched
    assert {"s2/coefficient", "rbf/prototypes"} <= set(safetensors.numpy.load_file(out))


def test_variables_without_a_name_in_safetensors_are_refused(run, tmp_path, red_or_blue):
    _, card = find_model(red_or_blue)
    image = keras.Input((32, 32, 3))
    means = keras.layers.GlobalAveragePooling2D()(keras.layers.PReLU()(image))
    scores = keras.layers.Dense(2, "softmax", name="predictions")(means)
    save_model(keras.Model(image, scores), red_or_blue, card)
    code, _, err = run("weights", "convert", red_or_blue, tmp_path / "a.safetensors")
    assert (code, "has no names for; write .weights.h5" in err) == (2, True)
    assert not (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize(
    ("suffix", "writer"),
    [
        (".keras", "keras.Model.save"),
        (".weights.h5", "keras.Model.save_weights"),
        (".safetensors", "pathlib.Path.write_bytes"),
    ],
)
def test_what_is_not_written_to_the_end_changes_nothing(
    run, tmp_path, lenet, monkeypatch, suffix, writer
):
    def full(self, *args):
        path = self if suffix == ".safetensors" else args[0]
        with open(path, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    for name in (f"out{suffix}", "out.json"):
        (tmp_path / name).write_text("old")
    monkeypatch.setattr(writer, full)
    code, _, err = run("weights", "convert", lenet[1], tmp_path / f"out{suffix}", *NET)
    assert code == 2
    assert f"out{suffix}' can't be written: [Errno 28] No space left on device" in err
    assert left(tmp_path) == sorted(["lenet.weights.h5", f"out{suffix}", "out.json"])
    for name in (f"out{suffix}", "out.json"):
        assert (tmp_path / name).read_text() == "old"


class Hostile:
    """What runs a command when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def test_a_file_that_would_run_code_is_refused_and_does_not(run, tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "hostile.pth"
    path.write_bytes(pickle.dumps(Hostile(mark), 2))
    code, out, err = run("weights", "verify", path, "--model", "resnet18")
    assert (code, out) == (1, "")
    assert "not sound:" in err
    assert "asks to run posix.system" in err
    code, _, err = run("weights", "convert", path, tmp_path / "a.keras", "--model", "resnet18")
    assert (code, "asks to run posix.system" in err) == (2, True)
    assert left(tmp_path) == ["hostile.pth"]
    pickle.loads(path.read_bytes())  # noqa: S301 - shows that it would have
    assert mark.exists()


def test_an_entry_is_verified_against_its_record(run, cached):
    code, out, _ = run("weights", "verify", ENTRY.name)
    assert code == 0
    for line in (
        "sound\n",
        f"  {cached}\n",
        "  No hash is published for",
        f"  {ENTRY.name}: 41 layers loaded\n",
        "  11,699,112 parameters, all of them finite\n",
    ):
        assert line in out
    cached.with_name(f"{cached.name}.sha256").write_text(f"{'0' * 64}  {cached.name}\n")
    code, out, err = run("weights", "verify", ENTRY.name)
    assert (code, out) == (1, "")
    assert "not sound: The file" in err
    assert "has changed since it was used first" in err


def test_a_file_of_another_hash_than_the_published_one_is_not_sound(run, cached):
    other = catalog.find("ResNet18.torchvision_v1").file
    (cached.parent / other.name).write_bytes(b"a page that says sorry")
    code, _, err = run("weights", "verify", "ResNet18.torchvision_v1")
    assert (code, "where f37072fd is published" in err) == (1, True)


def test_an_entry_of_another_count_than_declared_is_not_sound(run, monkeypatch):
    other = dataclasses.replace(ENTRY, parameters=11_699_111)
    monkeypatch.setitem(catalog._ENTRIES, ENTRY.name, other)
    code, _, err = run("weights", "verify", ENTRY.name)
    assert (code, "11,699,112 parameters, where 11,699,111 are declared" in err) == (1, True)


def test_verify_downloads_nothing(run, cached):
    code, out, err = run("weights", "verify", "ResNet18.timm_a2")
    assert (code, out) == (2, "")
    assert "`keras-convnets weights download ResNet18.timm_a2` brings it" in err
    assert left(cached.parent) == [cached.name]


def test_numbers_that_are_none_are_not_sound(run, tmp_path, lenet):
    net, path = lenet
    net.get_layer("predictions").bias.assign(np.full(7, np.nan, "float32"))
    net.save_weights(path)
    code, _, err = run("weights", "verify", path, *NET)
    assert (code, "'predictions/bias' is not finite everywhere" in err) == (1, True)
    code, _, _ = run("weights", "convert", path, tmp_path / "a.safetensors", *NET)
    assert (code, left(tmp_path)) == (2, ["lenet.weights.h5"])


def test_a_saved_model_is_checked_as_any_file(run, red_or_blue):
    model, card = find_model(red_or_blue)
    model.get_layer("predictions").bias.assign([0.0, np.inf])
    save_model(model, red_or_blue, card)
    code, _, err = run("weights", "verify", red_or_blue)
    assert (code, "'predictions/bias' is not finite everywhere" in err) == (1, True)


def test_another_net_is_not_sound(run, lenet):
    code, _, err = run("weights", "verify", lenet[1], "--model", "nin")
    assert (code, err.startswith("not sound: ")) == (1, True)


def test_verify_shows_layers_when_asked(run, lenet):
    net, path = lenet
    code, out, _ = run("weights", "verify", path, *NET, "--layers")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines() if line.split()}
    for layer in net.layers:
        if layer.weights:
            assert f"{layer.count_params():,}" in rows[layer.name]
            least = min(variable.numpy().min() for variable in layer.weights)
            assert f" {least:.3g} " in rows[layer.name]
    assert "kernel 5x5x1x6, bias 6" in rows["c1"]
    assert "c1" not in run("weights", "verify", path, *NET)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere.pth a.keras --model vgg16", "There is no weights file at"),
        ("lenet.weights.h5 a.keras", "does not say which net its weights are for; name it"),
        ("lenet.weights.h5 a.pth --model lenet5", "should end in one of .keras, .weights.h5, .saf"),
        ("lenet.weights.h5 cache/x/ --model lenet5", "should end in one of"),
        ("lenet.weights.h5 lenet.weights.h5/a.keras --model lenet5", "can't be written to: Not a"),
        ("lenet.weights.h5 a.keras --model lenet6", "nearest names are LeNet5"),
        ("lenet.weights.h5 a.keras --model lenet5 --set a=1", "LeNet5 has no option 'a'"),
        ("lenet.weights.h5 a.keras --model lenet5 --set weights=1", "can't give 'weights'"),
        ("lenet.weights.h5 a.keras --set classes=1", "--set gives an option of the net"),
        ("lenet.weights.h5 a.keras --model lenet5:modern --preprocessing x", "one of caffe, tf"),
        ("ResNet18.timm_a1 a.keras --model resnet18", "says itself which net it is for"),
        ("ResNet18.timm_b1 a.keras", "There are no weights named 'ResNet18.timm_b1'"),
    ],
)
@pytest.mark.usefixtures("lenet")
def test_bad_input_is_one_sentence(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("weights", "convert", *arguments.split())
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert left(tmp_path) == ["lenet.weights.h5"]


def test_keras_needs_to_know_nothing_of_a_converted_model(run, tmp_path, lenet):
    run("weights", "convert", lenet[1], tmp_path / "out.keras", *NET)
    loaded = keras.saving.load_model(tmp_path / "out.keras", safe_mode=True)
    assert equal(loaded, lenet[0])
