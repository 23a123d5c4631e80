"""Weights of torchvision, which publishes the first eight digits of sha256 in the names of files.

Figures, sizes and interpolation are those of the `meta` and the transforms of its weights
(torchvision 0.29). It has each image in the scaling of its ResNets; GoogLeNet and Inception-v3 turn
that into [-1, 1] themselves, and so take [-1, 1] here. It reserves that weights may have licences
of their own, and names none.
"""

from keras_convnets.weights.catalog.entry import Entry, RemoteFile
from keras_convnets.weights.catalog.graphs import (
    ALEXNET_ONE_WEIRD_TRICK,
    GOOGLENET_TORCHVISION,
    INCEPTION_V3_TORCH,
    RESNET18,
    RESNET34,
    RESNET50_V1_5,
    RESNET101_V1_5,
    RESNET152_V1_5,
    RESNEXT50,
    RESNEXT101_32X8D,
    RESNEXT101_64X4D,
    VGG11,
    VGG11_BN,
    VGG13,
    VGG13_BN,
    VGG16,
    VGG16_BN,
    VGG19,
    VGG19_BN,
    Graph,
)

_BASE = "https://download.pytorch.org/models"
# Training recipes: the first of each net, and that of 2021.
_V1, _V2 = 256, 232


def _entry(
    graph: Graph,
    version: str,
    stem: str,
    top1: float,
    top5: float,
    resize: int = _V1,
    *,
    input_size: int = 224,
    preprocessing: str = "torch",
    ported_from: str | None = None,
) -> Entry:
    name = f"{stem}.pth"
    return Entry(
        name=f"{graph.builder}.torchvision{version and '_'}{version}",
        builder=graph.builder,
        options=graph.options,
        file=RemoteFile(f"{_BASE}/{name}", name, f"sha256:{stem.rpartition('-')[2]}"),
        headless=None,
        licence="unknown",
        source="torchvision",
        ported_from=ported_from,
        classes=1000,
        input_size=input_size,
        resize=resize,
        interpolation="bilinear",
        preprocessing=preprocessing,
        top1=top1,
        top5=top5,
        measured="pytorch/vision torchvision/models",
        parameters=graph.parameters,
    )


ENTRIES = (
    _entry(ALEXNET_ONE_WEIRD_TRICK, "", "alexnet-owt-7be5be79", 56.522, 79.066),
    _entry(VGG11, "", "vgg11-8a719046", 69.020, 88.628),
    _entry(VGG13, "", "vgg13-19584684", 69.928, 89.246),
    _entry(VGG16, "", "vgg16-397923af", 71.592, 90.382),
    _entry(VGG19, "", "vgg19-dcbb9e9d", 72.376, 90.876),
    _entry(VGG11_BN, "bn", "vgg11_bn-6002323d", 70.370, 89.810),
    _entry(VGG13_BN, "bn", "vgg13_bn-abd245e5", 71.586, 90.374),
    _entry(VGG16_BN, "bn", "vgg16_bn-6c64b313", 73.360, 91.516),
    _entry(VGG19_BN, "bn", "vgg19_bn-c79401a0", 74.218, 91.842),
    _entry(
        GOOGLENET_TORCHVISION, "", "googlenet-1378be20", 69.778, 89.530,
        preprocessing="tf", ported_from="TensorFlow",
    ),
    _entry(
        INCEPTION_V3_TORCH, "", "inception_v3_google-0cc3c7bd", 77.294, 93.450, 342,
        input_size=299, preprocessing="tf", ported_from="TensorFlow",
    ),
    _entry(RESNET18, "v1", "resnet18-f37072fd", 69.758, 89.078),
    _entry(RESNET34, "v1", "resnet34-b627a593", 73.314, 91.420),
    _entry(RESNET50_V1_5, "v1", "resnet50-0676ba61", 76.130, 92.862),
    _entry(RESNET50_V1_5, "v2", "resnet50-11ad3fa6", 80.858, 95.434, _V2),
    _entry(RESNET101_V1_5, "v1", "resnet101-63fe2227", 77.374, 93.546),
    _entry(RESNET101_V1_5, "v2", "resnet101-cd907fc2", 81.886, 95.780, _V2),
    _entry(RESNET152_V1_5, "v1", "resnet152-394f9c45", 78.312, 94.046),
    _entry(RESNET152_V1_5, "v2", "resnet152-f82ba261", 82.284, 96.002, _V2),
    _entry(RESNEXT50, "v1", "resnext50_32x4d-7cdf4587", 77.618, 93.698),
    _entry(RESNEXT50, "v2", "resnext50_32x4d-1a0047aa", 81.198, 95.340, _V2),
    _entry(RESNEXT101_32X8D, "32x8d_v1", "resnext101_32x8d-8ba56ff5", 79.312, 94.526),
    _entry(RESNEXT101_32X8D, "32x8d_v2", "resnext101_32x8d-110c445d", 82.834, 96.228, _V2),
    _entry(RESNEXT101_64X4D, "64x4d_v1", "resnext101_64x4d-173b62eb", 83.246, 96.454, _V2),
)  # fmt: skip
