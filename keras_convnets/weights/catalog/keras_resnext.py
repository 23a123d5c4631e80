"""Weights of the ResNeXts that keras-applications 1.0.8 had, and Keras no longer builds.

The files are on the page of releases that this version names; Keras 3 keeps their hashes under
https://storage.googleapis.com/tensorflow/keras-applications/resnet/, where they may be as well.
Their nets add 1.001e-5 to the variance where ours add 1e-5. They were ported from the authors'
Torch7 files, under the same licence. On the figures see `catalog.keras`.
"""

from keras_convnets.weights.catalog.entry import Entry, RemoteFile
from keras_convnets.weights.catalog.graphs import RESNEXT50, RESNEXT101, Graph

_BASE = "https://github.com/keras-team/keras-applications/releases/download/resnet"


def _file(name: str, suffix: str, md5: str) -> RemoteFile:
    name = f"{name}_weights_tf_dim_ordering_tf_kernels{suffix}.h5"
    return RemoteFile(f"{_BASE}/{name}", name, f"md5:{md5}")


def _entry(graph: Graph, md5: str, headless_md5: str, top1: float, top5: float) -> Entry:
    name = graph.builder.lower()
    return Entry(
        name=f"{graph.builder}.keras",
        builder=graph.builder,
        options=graph.options,
        file=_file(name, "", md5),
        headless=_file(name, "_notop", headless_md5),
        licence="BSD",
        source="keras-applications 1.0.8",
        ported_from="Torch7, facebookresearch/ResNeXt",
        classes=1000,
        input_size=224,
        resize=256,
        interpolation="bicubic",
        preprocessing="torch",
        top1=top1,
        top5=top5,
        measured="keras-team/keras-applications README.md",
        parameters=graph.parameters,
    )


ENTRIES = (
    _entry(
        RESNEXT50,
        "67a5b30d522ed92f75a1f16eef299d1a",
        "62527c363bdd9ec598bed41947b379fc",
        77.740,
        93.810,
    ),
    _entry(
        RESNEXT101,
        "34fb605428fcc7aa4d62f44404c11509",
        "0f678c91647380debd923963594981b3",
        78.730,
        94.294,
    ),
)
