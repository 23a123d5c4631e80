"""Xception on JFT (Chollet 2017, arXiv 1610.02357).

    keras-convnets train xception_jft --data tfrecord:GLOB --set parallelism=sync

Options: "fc", two dense layers of 4096 units before the classifier; "without_fc". A run of a few
thousand steps wants a shorter average, too (`--set ema=0.99`).
Expected (paper, table 2): MAP@100 on FastEval14k 6.78, and 6.70 without; the scale of these numbers
is not explained, and FastEval14k is not public.
Cost: 60 NVIDIA K80 GPUs for over one month, to 30 million steps. Not run here.
JFT is Google's own: over 350 million images, 17,000 classes, several labels each; no TFDS set is
like it, and `benchmarks/jft_like.py` makes records of as many classes.
Unpublished, so chosen here: batch size, RMSprop's decay and epsilon, averaging constant,
augmentation.
"""

from keras_convnets.data import FlipLeftRight, InceptionCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.recipes._base import JFT, complete
from keras_convnets.training import (
    Exponential,
    MovingAverage,
    P,
    Recipe,
    RMSprop,
    Samples,
    Steps,
    choice,
)

OPTIONS = ("fc", "without_fc")
LOGISTIC = {"classifier_activation": "sigmoid"}


def recipe(option: str = OPTIONS[0]) -> Recipe:
    """Returns the recipe of section 4 for JFT."""
    is_dense = option == "fc"
    return complete(
        model=P("Xception", "figure 5"),
        model_options=P(
            LOGISTIC | {"head_units": (4096, 4096)} if is_dense else LOGISTIC,
            "section 4.5 and figure 5: logistic regression, for an image has several labels",
        ),
        data=JFT,
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
        dropout_rate=P(0.0, "section 4.3: none, for the set is large"),
        aux_weight=P(None, "section 4.3: no auxiliary tower"),
        ema=choice(
            MovingAverage(0.9999, ramp=True),
            "averaging is section 4.2; its constant is unpublished",
        ),
        batch_norm=choice({"momentum": 0.99}, "unpublished; the public weights' graph"),
        initializer=choice("glorot_uniform", "unpublished; the public weights' graph"),
        augmentation=choice((InceptionCrop(), FlipLeftRight()), "unpublished; GoogLeNet's crop"),
        evaluation=choice(CenterCrop(0.875), "unpublished"),
        parallelism=P("async", "section 4.4"),
        hardware=P("60 NVIDIA K80 GPUs, over one month", "section 4.4"),
        results=P({"map_at_100": 6.78 if is_dense else 6.70}, "table 2"),
    )
