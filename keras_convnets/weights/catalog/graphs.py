"""The graphs that public weights belong to."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Graph:
    """A net as far as weights are concerned.

    Attributes:
        builder: name of the builder.
        options: of the builder, where they differ from its defaults.
        parameters: with the top and without auxiliary heads, moving statistics included.
    """

    builder: str
    options: Mapping[str, Any]
    parameters: int


ALEXNET = Graph("AlexNet", {}, 60_965_224)
ALEXNET_ONE_WEIRD_TRICK = Graph("AlexNet", {"variant": "one_weird_trick"}, 61_100_840)

VGG11 = Graph("VGG11", {}, 132_863_336)
VGG13 = Graph("VGG13", {}, 133_047_848)
VGG16 = Graph("VGG16", {}, 138_357_544)
VGG19 = Graph("VGG19", {}, 143_667_240)
VGG11_BN = Graph("VGG11", {"batch_norm": True}, 132_874_344)
VGG13_BN = Graph("VGG13", {"batch_norm": True}, 133_059_624)
VGG16_BN = Graph("VGG16", {"batch_norm": True}, 138_374_440)
VGG19_BN = Graph("VGG19", {"batch_norm": True}, 143_689_256)

GOOGLENET = Graph("GoogLeNet", {}, 6_998_552)
GOOGLENET_TORCHVISION = Graph("GoogLeNet", {"variant": "torchvision"}, 6_639_464)
GOOGLENET_SLIM = Graph("GoogLeNet", {"variant": "slim"}, 6_632_184)
INCEPTION_V2 = Graph("InceptionV2", {}, 11_198_112)
INCEPTION_V2_CAFFE = Graph("InceptionV2", {"variant": "caffe"}, 11_305_256)
INCEPTION_V3 = Graph("InceptionV3", {}, 23_851_784)
# Torch's nets average the padding at the borders in; those that it trained have scales, too.
INCEPTION_V3_PADDED = Graph("InceptionV3", {"average_pool_padding": "include"}, 23_851_784)
INCEPTION_V3_TORCH = Graph(
    "InceptionV3", {"batch_norm_scale": True, "average_pool_padding": "include"}, 23_869_000
)
INCEPTION_V4 = Graph("InceptionV4", {}, 42_711_400)
INCEPTION_RESNET_V2 = Graph("InceptionResNetV2", {}, 55_873_736)
XCEPTION = Graph("Xception", {}, 22_910_480)

RESNET18 = Graph("ResNet18", {}, 11_699_112)
RESNET34 = Graph("ResNet34", {}, 21_814_696)
RESNET50 = Graph("ResNet50", {}, 25_636_712)
RESNET101 = Graph("ResNet101", {}, 44_707_176)
RESNET152 = Graph("ResNet152", {}, 60_419_944)
RESNET50_V1_5 = Graph("ResNet50", {"variant": "v1.5"}, 25_610_152)
RESNET101_V1_5 = Graph("ResNet101", {"variant": "v1.5"}, 44_654_504)
RESNET152_V1_5 = Graph("ResNet152", {"variant": "v1.5"}, 60_344_232)
RESNET50_SLIM = Graph("ResNet50", {"variant": "slim"}, 25_610_152)
RESNET101_SLIM = Graph("ResNet101", {"variant": "slim"}, 44_654_504)
RESNET152_SLIM = Graph("ResNet152", {"variant": "slim"}, 60_344_232)
RESNET50V2 = Graph("ResNet50V2", {}, 25_613_800)
RESNET101V2 = Graph("ResNet101V2", {}, 44_675_560)
RESNET152V2 = Graph("ResNet152V2", {}, 60_380_648)
RESNET50V2_SLIM = Graph("ResNet50V2", {"variant": "slim"}, 25_613_800)
RESNET101V2_SLIM = Graph("ResNet101V2", {"variant": "slim"}, 44_675_560)
RESNET152V2_SLIM = Graph("ResNet152V2", {"variant": "slim"}, 60_380_648)

RESNEXT50 = Graph("ResNeXt50", {}, 25_097_128)
RESNEXT101 = Graph("ResNeXt101", {}, 44_315_560)
RESNEXT101_64X4D = Graph("ResNeXt101", {"cardinality": 64}, 83_658_152)
RESNEXT101_32X8D = Graph("ResNeXt101", {"bottleneck_width": 8}, 88_994_216)
