"""Caffe's own nets in ours: all logits, in float64, from a written file."""

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets.errors import InputError
from keras_convnets.weights.dialects import caffe
from keras_convnets.weights.fitting import assign
from keras_convnets.weights.formats import caffemodel
from keras_convnets.weights.readers import read
from keras_convnets.weights.tensors import Stored

from ..peers.drawing import Golden, draw, draw_image
from ..peers.write_caffe import layer, write

NETS = {  # our builder and its options; the goldens of its outputs
    "caffe_bvlc_alexnet": ("AlexNet", {}, {}),
    "caffe_bvlc_googlenet": (
        "GoogLeNet",
        {"aux_logits": True},
        {"aux1": "caffe_bvlc_googlenet_aux1", "aux2": "caffe_bvlc_googlenet_aux2"},
    ),
}


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(
    ("peer", "generation"), [("caffe_bvlc_alexnet", "v1"), ("caffe_bvlc_googlenet", "v2")]
)
def test_every_logit_equals_that_of_caffe(peer, generation, tmp_path):
    golden = Golden.load(peer)
    builder, options, heads = NETS[peer]
    path = tmp_path / "net.caffemodel"
    write(path, {name: draw(name, shape) for name, shape in golden.shapes.items()}, generation)
    model = keras_convnets.get_model(
        builder,
        weights=None,
        classifier_activation=None,
        kernel_initializer="zeros",
        **options,
    )
    assign(model, caffe.translate(caffemodel.read(path)), peer)
    logits = model(draw_image(golden.size))
    logits = logits if isinstance(logits, dict) else {"predictions": logits}
    for name, head in {"predictions": peer, **heads}.items():
        expected = Golden.load(head).logits
        found = keras.ops.convert_to_numpy(logits[name])[0]
        assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


def stored_of(peer):
    """The tensors of a net, without their values."""
    return {name: Stored(shape, None) for name, shape in Golden.load(peer).shapes.items()}


@pytest.mark.parametrize("peer", NETS)
def test_every_layer_of_ours_has_its_tensors(peer):
    builder, options, _ = NETS[peer]
    model = keras_convnets.get_model(builder, weights=None, kernel_initializer="zeros", **options)
    shapes = {
        layer.name: {weight.name: tuple(weight.shape) for weight in layer.weights}
        for layer in model.layers
        if layer.weights
    }
    found = {
        layer: {name: stored.shape for name, stored in tensors.items()}
        for layer, tensors in caffe.translate(stored_of(peer)).items()
    }
    assert found == shapes


def test_kernels_of_flattened_maps_are_marked():
    marked = {
        layer
        for peer in NETS
        for layer, tensors in caffe.translate(stored_of(peer)).items()
        if tensors["kernel"].channels_first
    }
    assert marked == {"fc6", "aux1_fc", "aux2_fc"}


def test_side_heads_may_be_missing():
    stored = {k: v for k, v in stored_of("caffe_bvlc_googlenet").items() if "loss1" not in k}
    translated = caffe.translate(stored)
    assert "aux1" not in translated
    assert "aux2" in translated


def test_layers_of_nobody_keep_their_names():
    """So that the loader can name them."""
    stored = {**stored_of("caffe_bvlc_alexnet"), "fc9/0": Stored((3, 3), None)}
    assert caffe.translate(stored)["fc9"] == {"0": stored["fc9/0"]}


def test_a_net_that_pools_before_it_normalizes_is_refused(tmp_path):
    """`bvlc_reference_caffenet` has AlexNet's blobs, by name and shape."""
    path = tmp_path / "caffenet.caffemodel"
    one = np.ones((1,))
    names = "conv1", "relu1", "pool1", "norm1", "fc6"
    path.write_bytes(b"".join(layer(name, [one], "v2") for name in names))
    with pytest.raises(InputError, match="CaffeNet pools before it normalizes.*bvlc_alexnet"):
        read(path, None)


def test_other_nets_are_left_to_others():
    assert caffe.translate({"ip1/0": Stored((3, 3), None)}) is None


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("fc6/1", None, "'fc6' should have two blobs, kernel and bias. Received: 1"),
        ("fc6/0", (2, 1, 1, 9216), r"'fc6/0' should have 2 axes. Received: shape \(2, 1, 1, 9216"),
        ("conv3/0", (384, 256), r"'conv3/0' should have 4 axes. Received: shape \(384, 256\)"),
        ("conv3/1", (2, 384), r"'conv3/1' should have 1 axis. Received: shape \(2, 384\)"),
    ],
)
def test_missing_and_malformed_blobs_are_named(name, shape, message):
    stored = stored_of("caffe_bvlc_alexnet")
    del stored[name]
    if shape:
        stored[name] = Stored(shape, None)
    with pytest.raises(InputError, match=message):
        caffe.translate(stored)
