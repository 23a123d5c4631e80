"""Xception on JFT (Chollet 2017, arXiv 1610.02357).

    keras_convnets.recipes.get("xception_jft")

The recipe is complete as data; its training is asynchronous, which `keras-convnets train` refuses
in this version. `--set parallelism=sync --data tfrecord:DIR` trains it on images with several
labels; a run of a few thousand steps wants a shorter average, too (`--set ema=0.99`).
JFT is Google's own: over 350 million images, 17,000 classes, several labels each; no TFDS set is
like it, and `benchmarks/jft_like.py` makes records of as many classes.
Expected (paper, table 2): MAP@100 on FastEval14k 6.78 with two fully-connected layers of 4096
units, 6.70 without (`--set model_options={"classifier_activation": "sigmoid"}`).
Cost: 60 NVIDIA K80 GPUs for over one month, to 30 million steps. Not run here.
Unpublished, so chosen here: batch size, RMSprop's decay and epsilon, averaging constant,
augmentation.
"""

from keras_convnets.data import FlipLeftRight, InceptionCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import Exponential, P, Recipe, RMSprop, Samples, Steps, choice


def recipe() -> Recipe:
    """Returns the recipe of section 4 for JFT, with the two fully-connected layers."""
    return Recipe(
        model=P("Xception", "figure 5"),
        variant=P(None, "figure 5"),
        model_options=P(
            {"head_units": (4096, 4096), "classifier_activation": "sigmoid"},
            "section 4.5 and figure 5: logistic regression, for an image has several labels",
        ),
        data=choice("folder:JFT", "JFT is section 4.1; it is not public"),
        input_size=P(299, "figure 5"),
        classes=P(17_000, "section 4.1"),
        batch_size=choice(32, "unpublished; of one worker, each of which updates by itself"),
        length=P(Steps(30_000_000), "section 4.5: reported at 30 million iterations"),
        schedule=P(Exponential(0.001, rate=0.9, every=Samples(3_000_000)), "section 4.2"),
        optimizer=choice(
            RMSprop(rho=0.9, momentum=0.9, epsilon=1e-7),
            "RMSprop with momentum 0.9 is section 4.2; rho and epsilon are unpublished: Keras' own",
        ),
        l2=P(1e-5, "section 4.3"),
        l2_scope=choice("kernels", "unpublished; decaying BN's scale and shift is not usual"),
        dropout_rate=P(0.0, "section 4.3: none, for the set is large"),
        label_smoothing=choice(0.0, "unpublished; none is stated"),
        aux_weight=P(None, "section 4.3: no auxiliary tower"),
        clip_norm=choice(None, "unpublished; none is stated"),
        ema=choice(0.9999, "averaging is section 4.2; its constant is unpublished"),
        batch_norm=choice({"momentum": 0.99}, "unpublished; the public weights' graph"),
        initializer=choice("glorot_uniform", "unpublished; the public weights' graph"),
        augmentation=choice((InceptionCrop(), FlipLeftRight()), "unpublished; GoogLeNet's crop"),
        evaluation=choice(CenterCrop(0.875), "unpublished"),
        parallelism=P("async", "section 4.4"),
        hardware=P("60 NVIDIA K80 GPUs, over one month", "section 4.4"),
        results=P({"map_at_100": 6.78, "map_at_100_without_fully_connected": 6.70}, "table 2"),
    )
