"""ONNX files of three exporters in our nets, and what must not come through."""

import gc
import warnings

import keras
import numpy as np
import onnx
import pytest
from onnx import TensorProto

from keras_convnets import get_model, weights
from keras_convnets.errors import InputError

from ..peers.drawing import Golden, draw_image
from ..peers.tiny_onnx import TinyOnnx
from ..peers.write_onnx import write_onnx

NETS = {  # from the file to ours, with the options that its graph needs
    "onnx_resnet18": ("ResNet18", {}),
    "onnx_resnet18_folded": ("ResNet18", {}),
    "onnx_googlenet_dynamo": ("GoogLeNet:torchvision", {}),
    "onnx_inception_v3": (
        "InceptionV3",
        {"batch_norm_scale": True, "average_pool_padding": "include"},
    ),
    "onnx_resnext50": ("ResNeXt50", {}),
    "onnx_xception": ("Xception", {}),
    "onnx_keras_googlenet": ("GoogLeNet", {"aux_logits": True, "width_multiplier": 0.25}),
    "onnx_keras_resnet50v2": ("ResNet50V2", {"width_multiplier": 0.125}),
}
AUXILIARY = {"onnx_keras_googlenet": ("aux1", "aux2")}


@pytest.fixture
def double_precision():
    """Inputs, weights and computation in float64."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    gc.collect()


def build(peer, **options):
    name, needed = NETS[peer]
    size = Golden.load(peer).size
    return get_model(
        name,
        weights=None,
        classifier_activation=None,
        kernel_initializer="zeros",
        **{"input_shape": (size, size, 3), **needed, **options},
    )


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("peer", NETS)
def test_every_logit_equals_that_of_the_file(peer, tmp_path):
    path = tmp_path / f"{peer}.onnx"
    write_onnx(peer, path)
    model = build(peer)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*pads or normalizes differently")
        weights.load(model, path)
    logits = model(draw_image(Golden.load(peer).size))
    logits = logits if isinstance(logits, dict) else {"predictions": logits}
    for name in ("predictions", *AUXILIARY.get(peer, ())):
        golden = Golden.load(peer if name == "predictions" else f"{peer}_{name}")
        found = keras.ops.convert_to_numpy(logits[name])[0]
        difference = np.abs(found - golden.logits).max() / np.abs(golden.logits).max()
        assert difference <= 1e-8  # files have epsilon in float32


@pytest.fixture(scope="module")
def resnet18(tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "resnet18.onnx"
    write_onnx("onnx_resnet18", path)
    return path


@pytest.fixture(scope="module")
def googlenet(tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "googlenet.onnx"
    write_onnx("onnx_keras_googlenet", path)
    return path


def test_statistics_that_were_not_folded_are_kept(resnet18):
    """So that training can go on."""
    model = build("onnx_resnet18")
    weights.load(model, resnet18)
    tensors = {tensor.name: tensor for tensor in onnx.load(resnet18).graph.initializer}
    variance = onnx.numpy_helper.to_array(tensors["layer4.1.bn2.running_var"])
    found = model.get_layer("conv5_block2_2_bn").moving_variance
    np.testing.assert_array_equal(found, variance)


def test_a_net_without_its_top_takes_what_it_has(resnet18):
    whole, trunk = build("onnx_resnet18"), build("onnx_resnet18", include_top=False)
    weights.load(whole, resnet18)
    report = weights.load(trunk, resnet18)
    assert not report.left
    for layer in trunk.layers:
        for ours, its in zip(
            layer.get_weights(), whole.get_layer(layer.name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, its)


def test_another_number_of_classes_starts_the_head_anew(resnet18):
    model = build("onnx_resnet18", classes=7)
    with pytest.raises(InputError, match=r"layer 'predictions' wants .*\(512, 7\)"):
        weights.load(model, resnet18)
    report = weights.load(model, resnet18, strict=False)
    assert report.reinitialized == ("predictions",)
    assert len(report.matched) == 40


def test_auxiliary_heads_may_be_missing_in_the_model(googlenet):
    model = build("onnx_keras_googlenet", aux_logits=False)
    assert len(weights.load(model, googlenet).matched) == 58


def test_auxiliary_heads_may_be_missing_in_the_file(googlenet, tmp_path):
    file = onnx.load(googlenet)
    [main] = [output for output in file.graph.output if output.name == "predictions"]
    extractor = onnx.utils.Extractor(file)
    onnx.save(extractor.extract_model(["image"], [main.name]), tmp_path / "main.onnx")
    report = weights.load(build("onnx_keras_googlenet"), tmp_path / "main.onnx")
    assert set(report.left) == {f"aux{i}{layer}" for i in (1, 2) for layer in ("", "_conv", "_fc")}


@pytest.mark.parametrize(
    ("name", "options", "layer"),
    [
        ("ResNet18", {"repeats": (2, 3, 2, 2)}, "conv3_block3_1_conv"),
        ("ResNet18", {"shortcut": "C"}, "conv2_block1_0_conv"),
        ("ResNet18", {"shortcut": None}, "conv2_block1_out"),
        ("ResNet18", {"width_multiplier": 0.5}, "conv1_conv"),
        ("ResNeXt50", {"repeats": (1, 1, 1, 1)}, "conv2_block1_1_conv"),
        ("Xception", {"width_multiplier": 0.1}, "block1_conv1"),
    ],
)
def test_of_another_net_the_first_layer_is_named(name, options, layer, resnet18):
    model = get_model(name, weights=None, kernel_initializer="zeros", **options)
    before = model.get_weights()
    with pytest.raises(InputError, match=f"no counterpart of the layer '{layer}'"):
        weights.load(model, resnet18)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_alignment_is_told(tmp_path):
    """At 75 px, as at 299, Torch's Xception has other pixels in its pools than Keras'."""
    write_onnx("onnx_xception", tmp_path / "xception.onnx")
    file = onnx.load(tmp_path / "xception.onnx")
    for axis in (2, 3):
        file.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = 75
    onnx.save(file, tmp_path / "xception.onnx")
    model = build("onnx_xception", input_shape=(75, 75, 3))
    with pytest.warns(UserWarning, match="differently in block3_pool: the weights fit"):
        weights.load(model, tmp_path / "xception.onnx")


def test_without_the_package_it_is_named(monkeypatch, resnet18):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(InputError, match=r"needs the package onnx: `pip install 'keras-convnets\["):
        weights.load(build("onnx_resnet18"), resnet18)


@pytest.fixture
def tiny():
    """A convolution with bias, and a dense layer."""
    x = image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(5, name="predictions")(x), name="tiny")


@pytest.fixture
def file(rng):
    """An ONNX file of the same."""
    file = TinyOnnx(rng)
    x = file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    x = file.node("Flatten", file.node("GlobalAveragePool", x))
    file.node("Gemm", x, file.drawn(5, 4), file.drawn(5), transB=1)
    return file


def save(file, path):
    return file.save(path, file.nodes[-1].output[0])


def spoil_external(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def spoil_shape(model):
    model.graph.initializer[0].dims[0] = 2**40


def spoil_sign(model):
    model.graph.initializer[0].dims[:] = [-4, -3, 3, 3]


def spoil_type(model):
    model.graph.initializer[0].data_type = 999


def spoil_order(model):
    first = model.graph.node[0]
    del model.graph.node[0]
    model.graph.node.append(first)


def spoil_names(model):
    model.graph.node[1].output[0] = model.graph.node[0].output[0]


def spoil_strides(model):
    model.graph.node[0].attribute.add(name="strides", ints=[0, 0], type=7)


def spoil_bias(model):
    tensor = model.graph.initializer[1]
    tensor.dims[:] = [2]
    tensor.raw_data = tensor.raw_data[:8]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_external, "'value_1' is kept in another file"),
        (spoil_shape, r"'value_1' of shape \(1099511627776, 3, 3, 3\) should have 2\d+ numbers"),
        (spoil_sign, r"'value_1' can't have 4 axes of lengths \(-4, -3, 3, 3\)"),
        (spoil_type, "'value_1' has a type of no known number 999"),
        (spoil_order, "uses 'value_3' before that is there"),
        (spoil_names, "several values in it are named 'value_3'"),
        (spoil_strides, r"node 'value_3' is malformed: strides \(0, 0\)"),
        (spoil_bias, r"node 'value_3' is malformed: a vector of shape \(2,\) for 4 channels"),
    ],
)
def test_damaged_files_are_refused(spoil, message, tiny, file, tmp_path):
    model = save(file, tmp_path / "net.onnx")
    spoil(model)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=message):
        weights.load(tiny, tmp_path / "net.onnx")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x08\x07" * 1000])
def test_other_files_are_refused(content, tiny, tmp_path):
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(InputError, match=r"net.onnx"):
        weights.load(tiny, tmp_path / "net.onnx")


def test_constants_that_are_computed_without_end_are_refused(tiny, file, tmp_path):
    name = file.nodes[0].input[1]
    chain = [onnx.helper.make_node("Transpose", [name], ["t0"])]
    chain += [onnx.helper.make_node("Transpose", [f"t{i}"], [f"t{i + 1}"]) for i in range(999)]
    file.nodes[0].input[1] = "t999"
    file.nodes[:0] = chain
    save(file, tmp_path / "net.onnx")
    with pytest.raises(InputError, match="'t32' is computed in too many steps"):
        weights.load(tiny, tmp_path / "net.onnx")


def grow_maps(file):
    """A map that is concatenated with itself again and again."""
    x = file.nodes[0].output[0]
    for _ in range(60):
        x = file.node("Concat", x, x, axis=1)


def grow_constants(file):
    """More numbers than memory holds, computed from few."""
    ones = file.constant(np.ones(2**16))
    for _ in range(1000):
        file.node("Add", ones, ones)


def grow_axes(file):
    """A map of a million axes."""
    file.node("Unsqueeze", file.nodes[0].output[0], axes=list(range(10**6)))


def grow_nodes(file):
    """More nodes than any net has."""
    file.nodes += [onnx.helper.make_node("Relu", ["image"], [f"y{i}"]) for i in range(20_000)]


@pytest.mark.parametrize(
    ("grow", "message"),
    [
        (grow_maps, "no counterpart"),
        (grow_constants, "more constants than any net has"),
        (grow_axes, "1000000 numbers for its axes"),
        (grow_nodes, "more than 20000 nodes"),
    ],
)
def test_small_files_make_no_large_graphs(grow, message, tiny, rng, tmp_path):
    file = TinyOnnx(rng)
    file.node("Conv", "image", file.drawn(4, 3, 3, 3), file.drawn(4))
    grow(file)
    save(file, tmp_path / "net.onnx")
    with pytest.raises(InputError, match=message):
        weights.load(tiny, tmp_path / "net.onnx")


def test_changed_bytes_load_or_are_refused(tiny, file, tmp_path, rng):
    path = tmp_path / "net.onnx"
    save(file, path)
    whole = path.read_bytes()
    structure = [i for i in range(len(whole)) if b"\0" * 8 not in whole[i : i + 8]]
    refused = 0
    for position in rng.choice(structure, 200, replace=False):
        byte = rng.integers(256, dtype=np.uint8).tobytes()
        path.write_bytes(whole[:position] + byte + whole[position + 1 :])
        try:
            weights.load(tiny, path)
        except InputError:
            refused += 1
    assert 20 < refused < 200
    for end in range(0, len(whole), 40):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError):
            weights.load(tiny, path)
