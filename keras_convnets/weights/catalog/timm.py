"""Weights of timm (PyTorch Image Models), from its pages on the Hugging Face hub.

Figures, sizes, crops and interpolation stand in huggingface/pytorch-image-models
results/results-imagenet.csv at 0173a13, licences and scalings in timm 1.0.31. Some nets were
measured at a size above that of their training, as timm advises. No hash is published. What timm
took over from torchvision stands in `catalog.torchvision`.

Its ports of TF-slim's nets have scales in their batch normalization that are all one. Its Xception
pads a map of even size on the other side of a pool, which at 299 px is one map of four: the logits
are then near timm's and not equal; the original is Xception.keras.
"""

from keras_convnets.weights.catalog.entry import Entry, RemoteFile
from keras_convnets.weights.catalog.graphs import (
    INCEPTION_RESNET_V2,
    INCEPTION_V3_PADDED,
    INCEPTION_V3_TORCH,
    INCEPTION_V4,
    RESNET18,
    RESNET34,
    RESNET50_V1_5,
    RESNET101_V1_5,
    RESNET152_V1_5,
    RESNEXT50,
    RESNEXT101,
    RESNEXT101_32X8D,
    RESNEXT101_64X4D,
    XCEPTION,
    Graph,
)

# What stands behind the dot in timm's own names, where it is not the version and "_in1k".
_TAGS = {
    "": "tf_in1k",
    "ens_adv": "tf_ens_adv_in1k",
    "fb_ssl": "fb_ssl_yfcc100m_ft_in1k",
    "fb_swsl": "fb_swsl_ig1b_ft_in1k",
    "fb_wsl": "fb_wsl_ig1b_ft_in1k",
}
_ORIGINS = {
    "": "TF-slim",
    "ens_adv": "TF-slim",
    "tf": "TF-slim",
    "tf_adv": "TF-slim",
    "tv": "TensorFlow, through torchvision",
    "gluon": "MXNet, GluonCV",
}


def _entries(
    graph: Graph,
    timm_name: str,
    *rows: tuple[str, float, float, int, float],
    preprocessing: str = "torch",
    template: str = "",
    file: RemoteFile | None = None,
) -> tuple[Entry, ...]:
    """The weights of one graph.

    Args:
        graph: that of the weights.
        timm_name: of the architecture.
        *rows: version, top-1, top-5, size in pixels, and its share of the resized shorter side.
        preprocessing: scaling of images.
        template: what tells the graph from others of its builder, as a part of names.
        file: the file, if it is not on the hub.
    """

    def entry(version: str, top1: float, top5: float, size: int, share: float) -> Entry:
        name = f"{timm_name}.{_TAGS.get(version, f'{version}_in1k')}"
        is_facebook = version.startswith("fb_")
        return Entry(
            name="_".join(filter(None, (f"{graph.builder}.timm", template, version))),
            builder=graph.builder,
            options=graph.options,
            file=file
            or RemoteFile(
                f"https://huggingface.co/timm/{name}/resolve/main/model.safetensors",
                f"timm_{name}.safetensors",
                hash=None,
            ),
            headless=None,
            licence="CC BY-NC 4.0" if is_facebook else "Apache-2.0",
            source="Facebook Research, by timm" if is_facebook else "timm",
            ported_from="Keras" if graph is XCEPTION else _ORIGINS.get(version),
            classes=1000,
            input_size=size,
            resize=int(size / share),
            interpolation="bilinear" if is_facebook else "bicubic",
            preprocessing=preprocessing,
            top1=top1,
            top5=top5,
            measured="huggingface/pytorch-image-models results/results-imagenet.csv",
            parameters=graph.parameters,
        )

    return tuple(entry(*row) for row in rows)


ENTRIES = (
    *_entries(
        INCEPTION_V3_PADDED,
        "inception_v3",
        ("tf", 77.862, 93.644, 299, 0.875),
        ("tf_adv", 77.592, 93.730, 299, 0.875),
        preprocessing="tf",
    ),
    *_entries(
        INCEPTION_V3_TORCH,
        "inception_v3",
        ("tv", 77.434, 93.474, 299, 0.875),
        preprocessing="tf",
    ),
    *_entries(INCEPTION_V3_TORCH, "inception_v3", ("gluon", 78.806, 94.374, 299, 0.875)),
    *_entries(INCEPTION_V4, "inception_v4", ("", 80.156, 94.968, 299, 0.875), preprocessing="tf"),
    *_entries(
        INCEPTION_RESNET_V2,
        "inception_resnet_v2",
        ("", 80.462, 95.308, 299, 0.8975),
        ("ens_adv", 79.978, 94.946, 299, 0.8975),
        preprocessing="tf",
    ),
    *_entries(
        XCEPTION,
        "legacy_xception",
        ("", 79.040, 94.382, 299, 0.8975),
        preprocessing="tf",
        file=RemoteFile(
            "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/"
            "xception-43020ad28.pth",
            "xception-43020ad28.pth",
            "sha256:43020ad28",
        ),
    ),
    *_entries(
        RESNET18,
        "resnet18",
        ("gluon", 70.838, 89.754, 224, 0.875),
        ("a1", 73.158, 91.026, 288, 1.0),
        ("a2", 72.372, 90.596, 288, 1.0),
        ("a3", 68.254, 88.176, 224, 0.95),
        ("fb_ssl", 72.594, 91.418, 224, 0.875),
        ("fb_swsl", 73.282, 91.732, 224, 0.875),
    ),
    *_entries(
        RESNET34,
        "resnet34",
        ("gluon", 74.578, 91.984, 224, 0.875),
        ("a1", 77.918, 93.766, 288, 1.0),
        ("a2", 77.158, 93.274, 288, 1.0),
        ("a3", 72.970, 91.108, 224, 0.95),
        ("bt", 76.480, 93.354, 288, 0.95),
    ),
    *_entries(
        RESNET50_V1_5,
        "resnet50",
        ("gluon", 77.580, 93.720, 224, 0.875),
        ("a1", 81.214, 95.102, 288, 1.0),
        ("a1h", 80.676, 95.306, 224, 1.0),
        ("a2", 80.772, 94.988, 288, 1.0),
        ("a3", 78.048, 93.780, 224, 0.95),
        ("am", 78.998, 94.396, 224, 0.875),
        ("b1k", 80.706, 95.432, 288, 1.0),
        ("b2k", 80.454, 95.318, 288, 1.0),
        ("bt", 79.640, 94.892, 288, 0.95),
        ("c1", 80.912, 95.552, 288, 1.0),
        ("c2", 80.870, 95.534, 288, 1.0),
        ("d", 80.972, 95.430, 288, 1.0),
        ("ra", 79.836, 94.966, 288, 0.95),
        ("ram", 79.976, 95.052, 288, 0.95),
        ("fb_ssl", 79.234, 94.826, 224, 0.875),
        ("fb_swsl", 81.182, 95.992, 224, 0.875),
    ),
    *_entries(
        RESNET101_V1_5,
        "resnet101",
        ("gluon", 79.310, 94.522, 224, 0.875),
        ("a1", 82.322, 95.632, 288, 1.0),
        ("a1h", 82.778, 96.310, 288, 1.0),
        ("a2", 82.236, 95.730, 288, 1.0),
        ("a3", 79.814, 94.606, 224, 0.95),
    ),
    *_entries(
        RESNET152_V1_5,
        "resnet152",
        ("gluon", 79.694, 94.736, 224, 0.875),
        ("a1", 82.732, 95.720, 288, 1.0),
        ("a1h", 83.450, 96.538, 288, 1.0),
        ("a2", 82.608, 95.752, 288, 1.0),
        ("a3", 80.546, 95.000, 224, 0.95),
    ),
    *_entries(
        RESNEXT50,
        "resnext50_32x4d",
        ("gluon", 79.360, 94.430, 224, 0.875),
        ("a1", 81.466, 95.174, 288, 1.0),
        ("a1h", 82.014, 95.934, 288, 1.0),
        ("a2", 81.304, 95.096, 288, 1.0),
        ("a3", 79.268, 94.306, 224, 0.95),
        ("ra", 80.698, 95.390, 288, 0.95),
        ("fb_ssl", 80.338, 95.398, 224, 0.875),
        ("fb_swsl", 82.174, 96.222, 224, 0.875),
    ),
    *_entries(
        RESNEXT101,
        "resnext101_32x4d",
        ("gluon", 80.340, 94.930, 224, 0.875),
        ("fb_ssl", 80.924, 95.734, 224, 0.875),
        ("fb_swsl", 83.232, 96.758, 224, 0.875),
    ),
    *_entries(
        RESNEXT101_32X8D,
        "resnext101_32x8d",
        ("fb_ssl", 81.606, 96.040, 224, 0.875),
        ("fb_swsl", 84.302, 97.176, 224, 0.875),
        ("fb_wsl", 82.698, 96.632, 224, 0.875),
        template="32x8d",
    ),
    *_entries(
        RESNEXT101_64X4D,
        "resnext101_64x4d",
        ("gluon", 80.600, 94.992, 224, 0.875),
        ("c1", 83.156, 96.374, 288, 1.0),
        template="64x4d",
    ),
)
