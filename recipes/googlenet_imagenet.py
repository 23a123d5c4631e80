"""GoogLeNet on ImageNet (Szegedy et al. 2014, arXiv 1409.4842).

    keras-convnets train googlenet_imagenet --set parallelism=sync

Options: "table_1" is the net of table 1; "wider" is the seventh member of the ensemble, whose width
is unpublished. The six others began from the same weights and differ in the order of the images:
runs with `--initial-seed 0 --seed 1`, `--initial-seed 0 --seed 2` and so on.
Expected (paper, table 3): top-5 89.93 % of one net and one crop, 92.11 % of 144 crops, 93.33 % of
seven nets: `keras-convnets evaluate RUN... --ensemble --protocol crops144`.
Cost: CPUs of DistBelief; the authors guess a week on a few GPUs. Not run here: it needs ImageNet.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: batch, first rate, decay and length are unpublished, and those of Caffe's replica; the
distortions' ranges are from memory.
"""

from keras_convnets.data import FlipLeftRight, HowardDistortion, InceptionCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import CENTER_224_OF_256, IMAGENET, complete
from keras_convnets.training import (
    SGD,
    C,
    Epochs,
    Exponential,
    Layerwise,
    P,
    PolyakMean,
    Recipe,
    Uniform,
    choice,
)

OPTIONS = ("table_1", "wider")
CAFFE = "BVLC/caffe/models/bvlc_googlenet"
FILTERS = ("bilinear", "area", "nearest", "bicubic")
WIDER = {
    "model_options": choice(
        {"width_multiplier": 1.25}, "section 7: wider; how much is unpublished"
    ),
    "results": choice({}, "section 7: only those of the ensemble are printed"),
}


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 6."""
    net = complete(
        model=P("GoogLeNet", "table 1"),
        variant=P("paper", "table 1"),
        data=IMAGENET,
        input_size=P(224, "section 5"),
        classes=P(1000, "section 7"),
        batch_size=C(32, f"{CAFFE}/train_val.prototxt"),
        length=C(Epochs(250), f"{CAFFE}/solver.prototxt: 10 million batches"),
        schedule=C(
            Exponential(0.01, rate=0.96, every=Epochs(8)),
            f"{CAFFE}/solver.prototxt; the 0.96 every 8 epochs are section 6",
        ),
        optimizer=P(SGD(momentum=0.9), "section 6"),
        l2=C(2e-4, f"{CAFFE}/solver.prototxt"),
        dropout_rate=P(0.4, "table 1"),
        aux_weight=P(0.3, "section 5"),
        ema=P(PolyakMean(), "section 6: Polyak averaging; from which step on is unpublished"),
        initializer=C(
            Layerwise(Uniform(), biases={"*": 0.2, "predictions": 0.0, "aux[12]": 0.0}),
            f"{CAFFE}/train_val.prototxt: xavier, and biases of 0.2 but for the classifiers",
        ),
        augmentation=choice(
            (InceptionCrop(filters=FILTERS), FlipLeftRight(), HowardDistortion()),
            "area, aspect, filters and Howard's distortion are section 6; its ranges are not in "
            "the paper, nor are mirror images",
        ),
        evaluation=choice(
            CenterCrop(CENTER_224_OF_256), "the middle of the least scale of section 7"
        ),
        parallelism=P("async", "section 6"),
        hardware=P("CPUs, by DistBelief", "section 6"),
        results=P({"top5": 0.8993}, "table 3: one net, one crop"),
    )
    return net.replace(**WIDER) if option == "wider" else net
