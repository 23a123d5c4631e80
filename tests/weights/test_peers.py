"""Every logit of nets with the weights of a peer, in float64, against what the peer gives."""

import gc

import keras
import numpy as np
import pytest

from keras_convnets import get_model, weights

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


@pytest.fixture
def double_precision():
    """Inputs, weights and computation in float64."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    gc.collect()


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
@pytest.mark.parametrize("peer", NETS)
def test_every_logit_is_that_of_the_peer(peer, tmp_path):
    assert relative_difference(peer, tmp_path) <= 1e-6
