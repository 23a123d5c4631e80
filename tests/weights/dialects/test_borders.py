"""Files of one framework don't load into nets that treat borders as another one does."""

import pytest

from keras_convnets import get_model
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.weights.dialects.borders import CAFFE, KERAS, SLIM, TORCH

SMALL = {"weights": None, "width_multiplier": 0.1}
INCLUDE, SCALE = {"average_pool_padding": "include"}, {"batch_norm_scale": True}


def check(borders, net, options):
    weightless(lambda: borders.check(get_model(net, **SMALL, **options)))


@pytest.mark.parametrize(
    ("borders", "net", "options"),
    [
        (TORCH, "InceptionV3", {**INCLUDE, **SCALE}),
        (TORCH, "InceptionV4", {}),
        (TORCH, "InceptionResNetV2", {}),
        (TORCH, "InceptionV2:caffe", {}),
        (TORCH, "GoogLeNet:torchvision", {}),
        (TORCH, "ResNet50:v1.5", {}),
        (SLIM, "InceptionV3", {}),
        (SLIM, "InceptionV2", {}),
        (SLIM, "GoogLeNet:slim", {}),
        (SLIM, "ResNet50:slim", {}),
        (KERAS, "InceptionV3", {}),
        (KERAS, "InceptionResNetV2", {}),
        (CAFFE, "GoogLeNet", {}),
        (CAFFE, "AlexNet", {}),
        (SLIM, "GoogLeNet", {"small_input": True}),  # no stride in front of which to pad
    ],
)
def test_the_framework_s_own_graph_is_taken(borders, net, options):
    check(borders, net, options)


@pytest.mark.parametrize(
    ("borders", "net", "options", "hint"),
    [
        (TORCH, "InceptionV3", {}, 'padding="include"`, and with `batch_norm_scale=True` unless'),
        (TORCH, "InceptionV3", SCALE, 'average_pool_padding="include"'),
        (TORCH, "InceptionV4", INCLUDE, 'average_pool_padding="exclude"'),
        (TORCH, "InceptionV2", SCALE, "another `variant`"),
        (TORCH, "GoogLeNet:slim", SCALE, "another `variant`"),
        (SLIM, "InceptionV3", INCLUDE, 'average_pool_padding="exclude"'),
        (SLIM, "GoogLeNet:torchvision", {"batch_norm_scale": False}, "another `variant`"),
        (KERAS, "InceptionResNetV2", INCLUDE, 'average_pool_padding="exclude"'),
    ],
)
def test_a_graph_of_equal_shapes_and_other_borders_is_refused(borders, net, options, hint):
    with pytest.raises(InputError, match=f"would fit and give wrong results; build .*{hint}"):
        check(borders, net, options)
