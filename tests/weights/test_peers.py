"""Every logit of nets with the weights of a peer, in float64, against what the peer gives."""

import numpy as np
import pytest

from keras_convnets import get_model, weights
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.weights.dialects import pytorch
from keras_convnets.weights.tensors import Stored

from .peers.drawing import Golden, draw_image
from .peers.write_torch import write_pth, write_safetensors

# From the peer's net to ours, with the options that the peer's graph needs.
NETS = {
    "torchvision_alexnet": ("AlexNet:one_weird_trick", {}),
    "torchvision_googlenet": ("GoogLeNet:torchvision", {}),
    "torchvision_inception_v3": (
        "InceptionV3",
        {"batch_norm_scale": True, "average_pool_padding": "include"},
    ),
    **{
        f"torchvision_vgg{depth}{end}": (f"VGG{depth}{variant}", {})
        for depth in (11, 13, 16, 19)
        for end, variant in (("", ""), ("_bn", ":batch_norm"))
    },
    **{f"torchvision_resnet{depth}": (f"ResNet{depth}", {}) for depth in (18, 34)},
    **{f"torchvision_resnet{depth}": (f"ResNet{depth}:v1.5", {}) for depth in (50, 101, 152)},
    "torchvision_resnext50_32x4d": ("ResNeXt50", {}),
    "torchvision_resnext101_32x8d": ("ResNeXt101:32x8d", {}),
    "torchvision_resnext101_64x4d": ("ResNeXt101:64x4d", {}),
    "timm_inception_v3": (
        "InceptionV3",
        {"batch_norm_scale": True, "average_pool_padding": "include"},
    ),
    "timm_inception_v4": ("InceptionV4", {"batch_norm_scale": True}),
    "timm_inception_resnet_v2": ("InceptionResNetV2", {"batch_norm_scale": True}),
    "timm_legacy_xception": ("Xception", {}),
    "timm_resnext101_32x4d": ("ResNeXt101", {}),
    "timm_vgg11": ("VGG11", {}),
    "cadene_bninception": ("InceptionV2:caffe", {"conv_bias": True}),
    "cadene_resnext101_32x4d": ("ResNeXt101", {}),
    "cadene_resnext101_64x4d": ("ResNeXt101:64x4d", {}),
}
WRITERS = {"torchvision": write_pth, "timm": write_safetensors, "cadene": write_pth}
SUFFIXES = {write_pth: ".pth", write_safetensors: ".safetensors"}


# Of each way of naming, and each way to write a file; the others differ in depth or width.
SHALLOWEST = (
    "torchvision_alexnet",
    "torchvision_googlenet",
    "torchvision_inception_v3",
    "torchvision_vgg11_bn",
    "torchvision_resnet18",
    "torchvision_resnext50_32x4d",
    "timm_inception_v4",
    "timm_inception_resnet_v2",
    "timm_legacy_xception",
    "cadene_bninception",
    "cadene_resnext101_32x4d",
)


def relative_difference(peer: str, folder) -> float:
    """The largest difference of a logit, over the largest logit."""
    name, options = NETS[peer]
    golden = Golden.load(peer)
    write = WRITERS[peer.partition("_")[0]]
    path = folder / f"{peer}{SUFFIXES[write]}"
    write(golden, path)
    model = get_model(
        name,
        weights=None,
        input_shape=(golden.size, golden.size, 3),
        classifier_activation=None,
        kernel_initializer="zeros",
        **options,
    )
    weights.load(model, path)
    path.unlink()
    logits = model(draw_image(golden.size)).numpy()[0]
    expected = golden.logits[-len(logits) :]  # without the background of TF-slim
    return np.abs(logits - expected).max() / np.abs(expected).max()


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("peer", SHALLOWEST)
def test_every_logit_is_that_of_the_peer(peer, tmp_path):
    assert relative_difference(peer, tmp_path) <= 1e-6


def unreadable():
    raise AssertionError("no number is read before all shapes are checked")


@pytest.mark.parametrize("peer", NETS)
def test_every_tensor_of_the_peer_has_its_place(peer):
    name, options = NETS[peer]
    if peer == "torchvision_inception_v3" or peer == "torchvision_googlenet":
        options = {**options, "aux_logits": True}
    golden = Golden.load(peer)
    model = weightless(lambda: get_model(name, weights=None, **options))
    expected = {
        layer.name: {variable.name: tuple(variable.shape) for variable in layer.weights}
        for layer in model.layers
        if layer.weights
    }
    stored = {name: Stored(shape, unreadable) for name, shape in golden.shapes.items()}
    found = pytorch.translate(stored)
    assert {
        layer: {variable: tensor.shape for variable, tensor in tensors.items()}
        for layer, tensors in found.items()
    } == expected


def test_strides_that_shapes_do_not_tell_are_refused(tmp_path):
    """torchvision's ResNet-50 and the paper's differ in nothing else."""
    write_safetensors(Golden.load("torchvision_resnet50"), tmp_path / "resnet50.safetensors")
    model = get_model("ResNet50:v1", weights=None, kernel_initializer="zeros")
    with pytest.raises(InputError, match='build the net with `variant="v1.5"`'):
        weights.load(model, tmp_path / "resnet50.safetensors")


@pytest.mark.parametrize("options", [{}, {"batch_norm_scale": True}])
def test_averages_that_shapes_do_not_tell_are_refused(options, tmp_path):
    """The message names both options that torch's Inception-v3 needs."""
    write_pth(Golden.load("torchvision_inception_v3"), tmp_path / "peer.pth")
    model = get_model("InceptionV3", weights=None, kernel_initializer="zeros", **options)
    with pytest.raises(InputError, match="padding=.include.*batch_norm_scale=True"):
        weights.load(model, tmp_path / "peer.pth")


@pytest.mark.parametrize("net", ["ResNet50", "InceptionV3"])
def test_a_graph_with_other_variables_is_refused(net, tmp_path):
    """Keras' ResNet has biases where torchvision's has none, and its Inception no scales."""
    peer = {"ResNet50": "torchvision_resnet50", "InceptionV3": "torchvision_inception_v3"}[net]
    write_safetensors(Golden.load(peer), tmp_path / "peer.safetensors")
    model = get_model(net, weights=None, kernel_initializer="zeros")
    with pytest.raises(InputError, match="wants kernel|batch_norm_scale=True|strides"):
        weights.load(model, tmp_path / "peer.safetensors")
