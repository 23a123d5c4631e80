"""Every stage and logit against Torch nets, by the files that goldens/make.py makes."""

import keras
import numpy as np
import pytest

from keras_convnets import get_model
from keras_convnets._registry import find_architecture
from keras_convnets.analysis import feature_extractor

from .goldens.drawing import draw, draw_image, load_golden, sample

NETS = {  # the name in our registry, and the options of the Torch net
    "googlenet": ("GoogLeNet:torchvision", {"aux_logits": True}),
    "inception_v2": ("InceptionV2:caffe", {"conv_bias": True}),
    "inception_v3": (
        "InceptionV3",
        {"batch_norm_scale": True, "average_pool_padding": "include", "aux_logits": True},
    ),
    "inception_v4": ("InceptionV4", {"batch_norm_scale": True}),
    "inception_resnet_v2": ("InceptionResNetV2", {"batch_norm_scale": True}),
    "alexnet": ("AlexNet:one_weird_trick", {}),
    "vgg11": ("VGG11", {}),
    "vgg13": ("VGG13", {}),
    "vgg16": ("VGG16", {}),
    "vgg19": ("VGG19", {}),
    "vgg11_bn": ("VGG11:batch_norm", {}),
    "vgg13_bn": ("VGG13:batch_norm", {}),
    "vgg16_bn": ("VGG16:batch_norm", {}),
    "vgg19_bn": ("VGG19:batch_norm", {}),
    "resnet18": ("ResNet18", {}),
    "resnet34": ("ResNet34", {}),
    "resnet50": ("ResNet50:v1.5", {}),
    "resnet101": ("ResNet101:v1.5", {}),
    "resnet152": ("ResNet152:v1.5", {}),
    "resnext50_32x4d": ("ResNeXt50", {}),
    "resnext101_32x4d": ("ResNeXt101", {}),
    "resnext101_64x4d": ("ResNeXt101:64x4d", {}),
    "resnext101_32x8d": ("ResNeXt101:32x8d", {}),
}


def fill(model):
    for layer in model.layers:
        for weight in layer.weights:
            weight.assign(draw(layer.name, weight.name, tuple(weight.shape)))


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("net", NETS)
def test_every_stage_and_logit_equals_that_of_torch(net):
    registered_name, options = NETS[net]
    golden = load_golden(net)
    model = get_model(
        registered_name,
        weights=None,
        classifier_activation=None,
        kernel_initializer="zeros",  # for a random one takes longer than the rest
        **options,
    )
    fill(model)
    _, variant = find_architecture(registered_name)
    taps = {tap.name for tap in variant.taps}
    missing = (taps | set(model.output_names)) - golden.keys()
    assert not missing, "goldens/make.py should record these too"

    maps = feature_extractor(model, list(golden))(draw_image(model.input.shape[1]))
    wrong = {}
    for name, (shape, expected) in golden.items():
        found = keras.ops.convert_to_numpy(maps[name])[0]
        if found.shape != shape:
            wrong[name] = f"shape {found.shape}, not {shape}"
            continue
        error = np.abs(sample(name, found) - expected).max() / np.abs(expected).max()
        if not error <= 1e-8:
            wrong[name] = f"relative error {error:.1e}"
    assert not wrong, f"The first that differs is {next(iter(wrong))}; all: {wrong}"
