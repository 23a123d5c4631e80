"""Weights of Cadene's pretrained-models.pytorch.

Figures: its README, measured by its examples/imagenet_eval.py. The names of the files have the
first digits of their sha256, as `torch.utils.model_zoo` checks them. The ResNeXts are ports of the
authors' own files, which nobody else has for Torch; their licence is that of facebookresearch/
ResNeXt. The convolutions of bn_inception have biases in front of batch normalization, which the
moving averages can take up.
"""

from keras_convnets.weights.catalog.entry import Entry, RemoteFile
from keras_convnets.weights.catalog.graphs import (
    INCEPTION_RESNET_V2,
    INCEPTION_V2_CAFFE,
    INCEPTION_V4,
    RESNEXT101,
    RESNEXT101_64X4D,
    Graph,
)

_BASE = "http://data.lip6.fr/cadene/pretrainedmodels"


def _entry(
    graph: Graph,
    version: str,
    stem: str,
    top1: float,
    top5: float,
    *,
    ported_from: str,
    preprocessing: str,
    input_size: int = 224,
    licence: str = "unknown",
) -> Entry:
    name = f"{stem}.pth"
    return Entry(
        name=f"{graph.builder}.cadene{version and '_'}{version}",
        builder=graph.builder,
        options=graph.options,
        file=RemoteFile(f"{_BASE}/{name}", name, f"sha256:{stem.rpartition('-')[2]}"),
        headless=None,
        licence=licence,
        source="Cadene",
        ported_from=ported_from,
        classes=1000,
        input_size=input_size,
        resize=int(input_size / 0.875),
        interpolation="bilinear",
        preprocessing=preprocessing,
        top1=top1,
        top5=top5,
        measured="Cadene/pretrained-models.pytorch README.md",
        parameters=graph.parameters,
    )


_SLIM = {"ported_from": "TF-slim", "preprocessing": "tf", "input_size": 299}
_FACEBOOK = {
    "ported_from": "Torch7, facebookresearch/ResNeXt",
    "preprocessing": "torch",
    "licence": "BSD",
}

ENTRIES = (
    _entry(
        INCEPTION_V2_CAFFE, "", "bn_inception-52deb4733", 73.522, 91.560,
        ported_from="Caffe, by Xiong", preprocessing="bn_inception",
    ),
    _entry(INCEPTION_V4, "", "inceptionv4-8e4777a0", 80.062, 94.926, **_SLIM),
    _entry(INCEPTION_RESNET_V2, "", "inceptionresnetv2-520b38e4", 80.170, 95.234, **_SLIM),
    _entry(RESNEXT101, "", "resnext101_32x4d-29e315fa", 78.188, 93.886, **_FACEBOOK),
    _entry(RESNEXT101_64X4D, "64x4d", "resnext101_64x4d-e77a0586", 78.956, 94.252, **_FACEBOOK),
)  # fmt: skip
