"""Weights of BVLC's Caffe: the paper's GoogLeNet and AlexNet.

Figures, sha1 and licence stand in the readme of each net in BVLC/caffe models/. Images were
squashed to 256 x 256 px before the crop. AlexNet was trained with the mean of each pixel taken off,
for which the mean of each channel, as GoogLeNet has it, stands here.
"""

from keras_convnets.weights.catalog.entry import Entry, RemoteFile
from keras_convnets.weights.catalog.graphs import ALEXNET, GOOGLENET, Graph


def _entry(graph: Graph, net: str, sha1: str, input_size: int, top1: float, top5: float) -> Entry:
    name = f"{net}.caffemodel"
    return Entry(
        name=f"{graph.builder}.caffe",
        builder=graph.builder,
        options=graph.options,
        file=RemoteFile(f"http://dl.caffe.berkeleyvision.org/{name}", name, f"sha1:{sha1}"),
        headless=None,
        licence="unrestricted",
        source="BVLC",
        ported_from=None,
        classes=1000,
        input_size=input_size,
        resize=256,
        interpolation="bilinear",
        preprocessing="bvlc",
        top1=top1,
        top5=top5,
        measured=f"BVLC/caffe models/{net}/readme.md",
        parameters=graph.parameters,
    )


ENTRIES = (
    _entry(
        ALEXNET, "bvlc_alexnet", "9116a64c0fbe4459d18f4bb6b56d647b63920377", 227, 57.1, 80.2
    ),
    _entry(
        GOOGLENET, "bvlc_googlenet", "405fc5acd08a3bb12de8ee5e23a96bec22f08204", 224, 68.7, 88.9
    ),
)  # fmt: skip
