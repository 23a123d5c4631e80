"""ResNeXt on ImageNet (Xie, Girshick, Dollar, Tu, He 2016, arXiv 1611.05431).

    keras-convnets train resnext_imagenet:50-32x4d

Options: depth, cardinality and width of a path.
Expected (paper, tables 3 and 4, one crop): top-1 77.8 % (50-32x4d), 78.8 % (101-32x4d), 79.6 %
(101-64x4d). People who did not scale the rate with the batch, or left out the distortions of the
code, got less.
Cost: eight M40 GPUs, 0.95 s a batch (101-32x4d), 10 days (101-64x4d). Not run here.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: none known; Nesterov's momentum, the decay of all variables, the length and the changes
of colour are those of the authors' code.
"""

from keras_convnets.recipes._base import IMAGENET, complete
from keras_convnets.recipes._torch_residual import RESNEXT, torch_imagenet
from keras_convnets.training import C, Epochs, P, Piecewise, Recipe

# Cardinality, width of a path, and results.
NETS = {
    "50-32x4d": (32, 4, P({"top1": 0.778}, "table 3")),
    "50-8x14d": (8, 14, P({"top1": 0.777}, "table 3")),
    "50-4x24d": (4, 24, P({"top1": 0.774}, "table 3")),
    "50-2x40d": (2, 40, P({"top1": 0.770}, "table 3")),
    "101-32x4d": (32, 4, P({"top1": 0.788, "top5": 0.944}, "table 4")),
    "101-2x64d": (2, 64, P({"top1": 0.793, "top5": 0.945}, "table 4")),
    "101-64x4d": (64, 4, P({"top1": 0.796, "top5": 0.947}, "table 4")),
}
OPTIONS = tuple(NETS)


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 4."""
    cardinality, width, results = NETS[option]
    return complete(
        **torch_imagenet(RESNEXT),
        model=P(f"ResNeXt{option.partition('-')[0]}", "table 1"),
        model_options=P({"cardinality": cardinality, "bottleneck_width": width}, "section 5.1"),
        data=IMAGENET,
        input_size=P(224, "section 4"),
        classes=P(1000, "section 5.1"),
        batch_size=P(256, "section 4"),
        length=C(Epochs(100), f"{RESNEXT}/opts.lua"),
        schedule=P(
            Piecewise((0.1, 0.01, 0.001, 0.0001), (Epochs(30),) * 3),
            "section 4: divided by 10 three times, on the schedule of fb.resnet.torch",
        ),
        l2=P(1e-4, "section 4"),
        hardware=P("eight GPUs, 32 images each", "section 4"),
        results=results,
    )
