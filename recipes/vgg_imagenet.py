"""VGG nets on ImageNet (Simonyan, Zisserman 2014, arXiv 1409.1556).

    keras-convnets train vgg_imagenet:A --out runs/vgg_imagenet-A
    keras-convnets train vgg_imagenet:D --weights runs/vgg_imagenet-A --out runs/vgg_imagenet-D

Options: the nets "A" to "E", trained with images whose shorter side is 256 pixels; C, D and E also
with 384 ("D-384"), or with 256 to 512 by chance ("D-jitter"). They start from each other, as in the
paper: B to E from the first four convolutions and the dense layers of a run of A, "D-384" from one
of D, "D-jitter" from one of "D-384"; `--weights None` starts from random weights.
Expected (paper, table 3, dense at one scale): top-1 70.4 % (A) to 74.5 % (E-jitter), by
`keras-convnets evaluate RUN --protocol dense`.
Cost: 74 epochs; 2 to 3 weeks on four GPUs of then. Not run here: it needs ImageNet.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: the shift of colours is AlexNet's with the components of fb.resnet.torch; a rule lowers
the rate where the authors did; how long the later stages take is a choice. The first weights of
section 3.1 have a variance of 0.01, with which the scores overflow: see `initializer`.
"""

from typing import NamedTuple

from keras_convnets.data import FlipLeftRight, PCALighting, ShorterSideCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import IMAGENET, complete, right
from keras_convnets.training import SGD, Epochs, P, Plateau, Recipe, Uniform, choice

NETS = {"A": "VGG11", "B": "VGG13", "C": "VGG16C", "D": "VGG16", "E": "VGG19"}
FROM_A = ("block1_conv1", "block2_conv1", "block3_conv1", "block3_conv2", "fc1", "fc2")


class Row(NamedTuple):
    """A row of table 3: shorter sides in training, errors in per cent, what it starts from."""

    sides: tuple[int, int]
    top1_error: float
    top5_error: float
    start: str | None


ROWS = {
    "A": Row((256, 256), 29.6, 10.4, None),
    "B": Row((256, 256), 28.7, 9.9, "A"),
    "C": Row((256, 256), 28.1, 9.4, "A"),
    "C-384": Row((384, 384), 28.1, 9.3, "C"),
    "C-jitter": Row((256, 512), 27.3, 8.8, "C-384"),
    "D": Row((256, 256), 27.0, 8.8, "A"),
    "D-384": Row((384, 384), 26.8, 8.7, "D"),
    "D-jitter": Row((256, 512), 25.6, 8.1, "D-384"),
    "E": Row((256, 256), 27.3, 9.0, "A"),
    "E-384": Row((384, 384), 26.9, 8.7, "E"),
    "E-jitter": Row((256, 512), 25.5, 8.0, "E-384"),
}
OPTIONS = tuple(ROWS)


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 3.1."""
    row = ROWS[option]
    rate = 0.01 if row.sides == (256, 256) else 0.001
    scale = 384 if option.endswith("-jitter") else row.sides[0]
    fields = {}
    if row.start is not None:
        run = f"runs/vgg_imagenet-{row.start}"
        fields["weights"] = choice(run, "section 3.1; where the run lies is yours (--weights)")
    if row.start == "A":
        fields["start_layers"] = P((*FROM_A, "predictions"), "section 3.1")
    return complete(
        model=P(NETS[option[0]], "table 1"),
        data=IMAGENET,
        input_size=P(224, "section 2.1"),
        classes=P(1000, "section 4"),
        batch_size=P(256, "section 3.1"),
        length=P(Epochs(74), "section 3.1: 370,000 steps"),
        schedule=choice(
            Plateau(rate, factor=0.1, falls=3),
            f"section 3.1: {rate}, divided by 10 three times, when the validation accuracy "
            "stalled; five epochs without a better top-1 are ours"
            + ("; so is the first rate, that of 384" if option.endswith("-jitter") else ""),
        ),
        optimizer=P(SGD(momentum=0.9), "section 3.1"),
        l2=P(5e-4, "section 3.1"),
        dropout_rate=P(0.5, "section 3.1"),
        initializer=choice(
            Uniform(mode="fan_avg"),
            "section 3.1 prints a normal distribution of variance 0.01, whose scores overflow, and "
            "then the rule of Glorot and Bengio, which is this one",
        ),
        preprocessing=P("caffe", "section 2.1: minus the mean colour"),
        augmentation=P(
            (ShorterSideCrop(*row.sides), FlipLeftRight(), PCALighting(0.1)), "section 3.1"
        ),
        evaluation=choice(
            CenterCrop(224 / scale), "the middle of the image that table 3 evaluates densely"
        ),
        hardware=choice("four Titan Black GPUs, 2 to 3 weeks", "from memory of section 3.3"),
        results=P(right(row.top1_error, row.top5_error), "table 3: dense, one scale"),
        **fields,
    )
