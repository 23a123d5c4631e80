"""Weights of TF-slim: archives with one checkpoint each, without published hashes.

Figures: tensorflow/models research/slim/README.md; of the adversarially trained nets it has none.
Images of Inception nets and of ResNet V2 were cropped to the central 87.5 % of each side and then
squashed to a square, so that the size before the crop given here, 8/7 of the input, is that of
either side. The files of these nets have a first class more, the background, which is left out.

The licence of Inception-v3 and Inception-ResNet-v2 is what Keras' documentation says of these very
weights; the VGGs are those of Oxford, and ResNet V1 those of its authors; of the others none is
documented.
"""

from keras_convnets.weights.catalog.entry import Entry, RemoteFile
from keras_convnets.weights.catalog.graphs import (
    GOOGLENET_SLIM,
    INCEPTION_RESNET_V2,
    INCEPTION_V2,
    INCEPTION_V3,
    INCEPTION_V4,
    RESNET50_SLIM,
    RESNET50V2_SLIM,
    RESNET101_SLIM,
    RESNET101V2_SLIM,
    RESNET152_SLIM,
    RESNET152V2_SLIM,
    VGG16,
    VGG19,
    Graph,
)

_BASE = "http://download.tensorflow.org/models"
_README = "tensorflow/models research/slim/README.md"


def _entry(
    graph: Graph,
    archive: str,
    member: str,
    top1: float | None,
    top5: float | None,
    input_size: int,
    *,
    version: str = "",
    licence: str = "unknown",
    preprocessing: str = "tf",
    ported_from: str | None = None,
) -> Entry:
    name = f"{archive}.tar.gz"
    return Entry(
        name=f"{graph.builder}.slim{version and '_'}{version}",
        builder=graph.builder,
        options=graph.options,
        file=RemoteFile(f"{_BASE}/{name}", name, hash=None, member=f"{member}.ckpt"),
        headless=None,
        licence=licence,
        source="TF-slim",
        ported_from=ported_from,
        classes=1000,
        input_size=input_size,
        resize=round(input_size * 8 / 7),
        interpolation="bilinear",
        preprocessing=preprocessing,
        top1=top1,
        top5=top5,
        measured=_README if top1 else "not reported",
        parameters=graph.parameters,
    )


_APACHE = {"licence": "Apache-2.0"}
_OXFORD = {
    "licence": "CC BY 4.0",
    "preprocessing": "slim_vgg",
    "ported_from": "Caffe, by VGG at Oxford",
}
_HE = {
    "licence": "MIT",
    "preprocessing": "slim_vgg",
    "ported_from": "Caffe, KaimingHe/deep-residual-networks",
}

ENTRIES = (
    _entry(GOOGLENET_SLIM, "inception_v1_2016_08_28", "inception_v1", 69.8, 89.6, 224),
    _entry(INCEPTION_V2, "inception_v2_2016_08_28", "inception_v2", 73.9, 91.8, 224),
    _entry(INCEPTION_V3, "inception_v3_2016_08_28", "inception_v3", 78.0, 93.9, 299, **_APACHE),
    _entry(INCEPTION_V4, "inception_v4_2016_09_09", "inception_v4", 80.2, 95.2, 299),
    _entry(
        INCEPTION_RESNET_V2, "inception_resnet_v2_2016_08_30", "inception_resnet_v2_2016_08_30",
        80.4, 95.3, 299, **_APACHE,
    ),
    _entry(VGG16, "vgg_16_2016_08_28", "vgg_16", 71.5, 89.8, 224, **_OXFORD),
    _entry(VGG19, "vgg_19_2016_08_28", "vgg_19", 71.1, 89.8, 224, **_OXFORD),
    _entry(RESNET50_SLIM, "resnet_v1_50_2016_08_28", "resnet_v1_50", 75.2, 92.2, 224, **_HE),
    _entry(RESNET101_SLIM, "resnet_v1_101_2016_08_28", "resnet_v1_101", 76.4, 92.9, 224, **_HE),
    _entry(RESNET152_SLIM, "resnet_v1_152_2016_08_28", "resnet_v1_152", 76.8, 93.2, 224, **_HE),
    _entry(RESNET50V2_SLIM, "resnet_v2_50_2017_04_14", "resnet_v2_50", 75.6, 92.8, 299),
    _entry(RESNET101V2_SLIM, "resnet_v2_101_2017_04_14", "resnet_v2_101", 77.0, 93.7, 299),
    _entry(RESNET152V2_SLIM, "resnet_v2_152_2017_04_14", "resnet_v2_152", 77.8, 94.1, 299),
    # Adversarially trained (1611.01236, 1705.07204).
    _entry(
        INCEPTION_V3, "adv_inception_v3_2017_08_18", "adv_inception_v3",
        None, None, 299, version="adv",
    ),
    _entry(
        INCEPTION_V3, "ens3_adv_inception_v3_2017_08_18", "ens3_adv_inception_v3",
        None, None, 299, version="ens3_adv",
    ),
    _entry(
        INCEPTION_V3, "ens4_adv_inception_v3_2017_08_18", "ens4_adv_inception_v3",
        None, None, 299, version="ens4_adv",
    ),
    _entry(
        INCEPTION_RESNET_V2, "ens_adv_inception_resnet_v2_2017_08_18",
        "ens_adv_inception_resnet_v2", None, None, 299, version="ens_adv",
    ),
)  # fmt: skip
