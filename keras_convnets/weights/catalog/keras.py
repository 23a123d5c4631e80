"""Weights of keras.applications, as Keras 3 downloads them.

The figures are those of the README of keras-applications (top-1 and top-5 of one crop, measured
with TensorFlow); how images were resized is told in its issue 88 and in the test that its author
has in taehoonlee/tensornets, tests/all_imagenet_models.py: by bicubic interpolation to 256 px for
224, and to 341 px for 299. The pre-activated ResNets were measured at 299 px, though Keras builds
them for 224.

The licences are those of the pages of Keras' documentation on these nets.
"""

from keras_convnets.weights.catalog.entry import Entry, RemoteFile
from keras_convnets.weights.catalog.graphs import (
    INCEPTION_RESNET_V2,
    INCEPTION_V3,
    RESNET50,
    RESNET50V2,
    RESNET101,
    RESNET101V2,
    RESNET152,
    RESNET152V2,
    VGG16,
    VGG19,
    XCEPTION,
    Graph,
)

_BASE = "https://storage.googleapis.com/tensorflow/keras-applications"

# Licence, origin, and scaling of images.
_VGG = "CC BY 4.0", "Caffe, by VGG at Oxford", "caffe"
_RESNET = "MIT", "Caffe, KaimingHe/deep-residual-networks", "caffe"
_RESNET_V2 = "BSD", None, "tf"
_SLIM = "Apache-2.0", "TF-slim", "tf"
_OWN = "MIT", None, "tf"


def _file(folder: str, name: str, suffix: str, md5: str) -> RemoteFile:
    name = f"{name}_weights_tf_dim_ordering_tf_kernels{suffix}.h5"
    return RemoteFile(f"{_BASE}/{folder}/{name}", name, f"md5:{md5}")


def _entry(
    graph: Graph,
    folder: str,
    md5: str,
    headless_md5: str,
    size: int,
    top1: float,
    top5: float,
    facts: tuple[str, str | None, str],
) -> Entry:
    name = graph.builder.lower() if folder == "resnet" else folder
    licence, ported_from, preprocessing = facts
    return Entry(
        name=f"{graph.builder}.keras",
        builder=graph.builder,
        options=graph.options,
        file=_file(folder, name, "", md5),
        headless=_file(folder, name, "_notop", headless_md5),
        licence=licence,
        source="keras.applications",
        ported_from=ported_from,
        classes=1000,
        input_size=size,
        resize={224: 256, 299: 341}[size],
        interpolation="bicubic",
        preprocessing=preprocessing,
        top1=top1,
        top5=top5,
        measured="keras-team/keras-applications README.md",
        parameters=graph.parameters,
    )


# Graph and folder; md5 with and without the top; size, top-1, top-5; the rest.
ENTRIES = (
    _entry(
        VGG16, "vgg16",
        "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc",
        224, 71.268, 90.050, _VGG,
    ),
    _entry(
        VGG19, "vgg19",
        "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6",
        224, 71.256, 89.988, _VGG,
    ),
    _entry(
        INCEPTION_V3, "inception_v3",
        "9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63",
        299, 77.898, 93.720, _SLIM,
    ),
    _entry(
        INCEPTION_RESNET_V2, "inception_resnet_v2",
        "e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4",
        299, 80.256, 95.252, _SLIM,
    ),
    _entry(
        XCEPTION, "xception",
        "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97",
        299, 79.006, 94.452, _OWN,
    ),
    _entry(
        RESNET50, "resnet",
        "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626",
        224, 74.928, 92.060, _RESNET,
    ),
    _entry(
        RESNET101, "resnet",
        "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21",
        224, 76.420, 92.786, _RESNET,
    ),
    _entry(
        RESNET152, "resnet",
        "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c",
        224, 76.604, 93.118, _RESNET,
    ),
    _entry(
        RESNET50V2, "resnet",
        "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917",
        299, 75.960, 93.034, _RESNET_V2,
    ),
    _entry(
        RESNET101V2, "resnet",
        "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5",
        299, 77.234, 93.816, _RESNET_V2,
    ),
    _entry(
        RESNET152V2, "resnet",
        "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33",
        299, 78.032, 94.162, _RESNET_V2,
    ),
)  # fmt: skip
