"""Residual nets on ImageNet (He, Zhang, Ren, Sun 2015, arXiv 1512.03385).

    keras-convnets train resnet_imagenet:50

Options: the depths "18", "34", "50", "101" and "152".
Expected (paper, tables 2 and 3, ten crops): top-1 72.12, 75.48, 77.15, 78.25 and 78.57 %:
`keras-convnets evaluate RUN --protocol crops10`. Of one crop the released nets have 75.3, 76.4 and
77.0 % (50, 101, 152).
Cost: eight GPUs, 600,000 steps of 256 images. Not run here: it needs ImageNet and accelerators.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: one mean colour is subtracted, not one of each pixel; the shares of the colours'
principal components are those of fb.resnet.torch; a rule lowers the rate where the authors did;
batch normalization evaluates by moving averages, where the authors took true means.
"""

from keras_convnets.data import FlipLeftRight, PCALighting, ShorterSideCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import CENTER_224_OF_256, IMAGENET, complete, right
from keras_convnets.training import SGD, C, HeNormal, P, Plateau, Recipe, Steps, choice

# Top-1 and top-5 error in per cent, of ten crops. Table 2 has ResNet-18 with shortcuts A.
RESULTS = {
    "50": P(right(22.85, 6.71), "table 3: ten crops"),
    "18": P({"top1": 0.7212}, "table 2: ten crops"),
    "34": P(right(24.52, 7.46), "table 3, B: ten crops"),
    "101": P(right(21.75, 6.05), "table 3: ten crops"),
    "152": P(right(21.43, 5.71), "table 3: ten crops"),
}
OPTIONS = tuple(RESULTS)


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 3.4."""
    shortcut = "A" if option == "18" else "B"
    return complete(
        model=P(f"ResNet{option}", "table 1"),
        variant=C("v1", "KaimingHe/deep-residual-networks/prototxt: strides in the first 1x1"),
        model_options=P({"shortcut": shortcut}, "section 4.1"),
        data=IMAGENET,
        input_size=P(224, "section 3.4"),
        classes=P(1000, "section 4.1"),
        batch_size=P(256, "section 3.4"),
        length=P(Steps(600_000), "section 3.4"),
        schedule=choice(
            Plateau(0.1, factor=0.1, patience=Steps(25_000), falls=3),
            "section 3.4: 0.1, divided by 10 when the error plateaus; three times, and 25,000 "
            "steps (five epochs) without a better top-1, are ours",
        ),
        optimizer=P(SGD(momentum=0.9), "section 3.4"),
        l2=P(1e-4, "section 3.4"),
        dropout_rate=P(0.0, "section 3.4: none"),
        batch_norm=choice({"momentum": 0.9, "epsilon": 1e-5}, "unpublished; Torch's"),
        initializer=P(HeNormal(), "section 3.4"),
        augmentation=P(
            (ShorterSideCrop(256, 480), FlipLeftRight(), PCALighting(0.1)), "section 3.4"
        ),
        evaluation=choice(CenterCrop(CENTER_224_OF_256), "the middle one of the ten crops"),
        hardware=C("eight GPUs, 32 images each", "KaimingHe/deep-residual-networks/README.md"),
        results=RESULTS[option],
    )
