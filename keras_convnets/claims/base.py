"""The recipe that the arms of a claim share, unless the claim says otherwise."""

from keras_convnets.data import FlipLeftRight
from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import SGD, Cosine, Recipe, Steps, choice

BATCH_SIZE = 32
RATE = 0.05
L2 = 1e-5
# Of the run, in which the rate rises.
WARM_UP = 0.05


def schedule(rate: float, steps: int) -> Cosine:
    """Returns the learning rate over a run, which falls to nothing whatever the length."""
    return Cosine(rate, warmup=Steps(max(1, round(WARM_UP * steps))))


def recipe(steps: int) -> Recipe:
    """Returns a recipe for a short run on small images; the net is to be filled in.

    Args:
        steps: length.
    """
    return Recipe(
        model=choice("Xception", "of the arm"),
        variant=choice(None, "of the arm"),
        model_options=choice({}, "of the arm"),
        data=choice("fashion_mnist_6k", "of the claim"),
        input_size=choice(28, "the size of the images"),
        classes=choice(None, "those of the data"),
        batch_size=choice(BATCH_SIZE, "many updates in little time"),
        length=choice(Steps(steps), "equal for all arms of a claim; what the time allows"),
        schedule=choice(schedule(RATE, steps), "falls to nothing in runs of any length"),
        optimizer=choice(SGD(momentum=0.9), "what most of the papers have"),
        l2=choice(L2, "little, for the runs are short"),
        l2_scope=choice("kernels", "scales and shifts are few"),
        dropout_rate=choice(0.0, "short runs overfit little"),
        label_smoothing=choice(0.0, "unless it is the claim"),
        aux_weight=choice(None, "unless it is the claim"),
        clip_norm=choice(None, "unless it is the claim"),
        ema=choice(None, "the rate's fall averages as well"),
        batch_norm=choice({"momentum": 0.9}, "the run has few steps to average over"),
        initializer=choice("he_normal", "for ReLU"),
        augmentation=choice((FlipLeftRight(),), "garments may be mirrored"),
        evaluation=choice(CenterCrop(1.0), "the images have the size of the input"),
        parallelism=choice("sync", "one machine"),
        hardware=choice("two CPU cores", "claims are meant for the smallest machine"),
        results=choice({}, "the papers have none on this set"),
        name="claim",
        about="One arm of a claim.",
    )
