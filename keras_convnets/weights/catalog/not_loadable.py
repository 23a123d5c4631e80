"""Public weights that no builder here has the graph for, or whose files are not read."""

from typing import NamedTuple


class NotLoadable(NamedTuple):
    """Weights that can't be loaded.

    Attributes:
        what: the nets.
        where: their files.
        why: the reason, and what to take instead where there is something.
    """

    what: str
    where: str
    why: str


_CADENE = "http://data.lip6.fr/cadene/pretrainedmodels"

NOT_LOADABLE = (
    NotLoadable(
        "ResNeXt of its authors, Torch7",
        "https://dl.fbaipublicfiles.com/resnext/imagenet_models/resnext_*.t7",
        "Torch7's files are serialized Lua objects; ResNeXt101.cadene, ResNeXt101.cadene_64x4d and "
        "ResNeXt50.keras are ports of them",
    ),
    NotLoadable(
        "ResNet of facebook/fb.resnet.torch, Torch7",
        "https://github.com/facebook/fb.resnet.torch/tree/master/pretrained (.t7)",
        "Torch7's files are serialized Lua objects",
    ),
    NotLoadable(
        "ResNet, ResNeXt of qubvel/classification_models",
        "https://github.com/qubvel/classification_models/releases/download/0.0.1/",
        "a batch normalization of the images (bn_data) stands before the first convolution and its "
        "padding, and epsilon is 2e-5",
    ),
    NotLoadable(
        "ResNet, ResNeXt of pycls",
        "https://dl.fbaipublicfiles.com/pycls/dds_baselines/*/*_dds_8gpu.pyth",
        "the weights lie beside the state of the training, under names that are not read, and take "
        "images in BGR divided by the deviation of each channel",
    ),
    NotLoadable(
        "ResNet 50, 101, 152 of KaimingHe/deep-residual-networks, and their port cafferesnet101",
        f"https://github.com/KaimingHe/deep-residual-networks, {_CADENE}/cafferesnet101-*.pth",
        "the names in Caffe's files (res2a_branch2a, scale2a_branch2a) are not read, and those in "
        "the port are the names of nets whose strides stand elsewhere; ResNet50.slim, "
        "ResNet101.slim and ResNet152.slim are ports of these weights",
    ),
    NotLoadable(
        "fbresnet152 of pretrained-models.pytorch",
        f"{_CADENE}/fbresnet152-2e20f6b4.pth",
        "names and shapes are those of cafferesnet101's, whose strides stand elsewhere, but for "
        "biases in front of batch normalization",
    ),
    NotLoadable(
        "torchvision's vgg16 IMAGENET1K_FEATURES",
        "https://download.pytorch.org/models/vgg16_features-amdegroot-88682ab5.pth",
        "the classifier in it holds no numbers",
    ),
    NotLoadable(
        "BVLC's CaffeNet",
        "http://dl.caffe.berkeleyvision.org/bvlc_reference_caffenet.caffemodel",
        "it pools before it normalizes responses, and AlexNet the other way round",
    ),
)
