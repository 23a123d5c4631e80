"""AlexNet on ImageNet (Krizhevsky, Sutskever, Hinton 2012, NIPS).

    keras-convnets train alexnet_imagenet

Expected (paper, table 2): top-1 59.3 %, top-5 81.8 % on the validation images, of one net and ten
crops: `keras-convnets evaluate RUN --protocol crops10`.
Cost: two GTX 580 GPUs for 5 to 6 days. Not run here: it needs ImageNet and an accelerator.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: one mean colour is subtracted, not one of each pixel; the shares of the colours'
principal components are those of fb.resnet.torch; a rule lowers the rate where the authors did.
"""

from keras_convnets.data import FlipLeftRight, PCALighting, ShorterSideCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import CENTER_224_OF_256, IMAGENET, complete
from keras_convnets.training import SGD, C, Epochs, Layerwise, Normal, P, Plateau, Recipe, choice

CAFFE = "BVLC/caffe/models/bvlc_alexnet"


def recipe() -> Recipe:
    """Returns the recipe of sections 4 and 5."""
    return complete(
        model=P("AlexNet", "section 3.5"),
        variant=P("paper", "section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75"),
        data=IMAGENET,
        input_size=C(227, f"{CAFFE}/train_val.prototxt; the paper's 224 do not fit conv1"),
        classes=P(1000, "section 2"),
        batch_size=P(128, "section 5"),
        length=P(Epochs(90), "section 5: roughly 90"),
        schedule=choice(
            Plateau(0.01, factor=0.1, falls=3),
            "section 5: 0.01, divided by 10 three times, by hand, when the validation error "
            "stalled; five epochs without a better top-1 stand for the hand",
        ),
        optimizer=P(SGD(momentum=0.9), "section 5; the rate stands inside v"),
        l2=P(5e-4, "section 5"),
        l2_scope=C("kernels", f"{CAFFE}/train_val.prototxt: biases do not decay"),
        dropout_rate=P(0.5, "section 4.2"),
        initializer=P(
            Layerwise(Normal(0.01), biases={"conv[245]": 1.0, "fc[67]": 1.0}), "section 5"
        ),
        augmentation=P(
            (ShorterSideCrop(256, 256, central_square=True), FlipLeftRight(), PCALighting(0.1)),
            "sections 2 and 4.1",
        ),
        evaluation=choice(
            CenterCrop(CENTER_224_OF_256), "the middle one of the ten crops of section 4.1"
        ),
        parallelism=P("sync", "section 3.2: one net on two GPUs"),
        hardware=P("two GTX 580 GPUs of 3 GB, 5 to 6 days", "section 5"),
        results=P({"top1": 0.593, "top5": 0.818}, "table 2: one CNN, validation, ten crops"),
    )
