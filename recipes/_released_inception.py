"""What the released trainers of the later Inception nets do where their papers say nothing."""

from keras_convnets.data import FlipLeftRight, SlimCrop, SlimDistortion
from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import (
    C,
    Epochs,
    Exponential,
    MovingAverage,
    P,
    RMSprop,
    Sourced,
    TruncatedNormal,
)

TRAINER = "tensorflow/models/research/inception/inception/inception_distributed_train.py"
MODEL = "tensorflow/models/research/inception/inception/inception_model.py"
SLIM = "tensorflow/models/research/slim/preprocessing/inception_preprocessing.py"
SCOPE = "tensorflow/models/research/slim/nets/inception_utils.py"


def released(section: str) -> dict[str, Sourced]:
    """Returns the fields that are alike in the recipes of Inception-v3 and Inception-v4.

    Args:
        section: of the paper, on its training.
    """
    return {
        "optimizer": C(
            RMSprop(rho=0.9, momentum=0.9, epsilon=1.0, initial_accumulator=1.0),
            f"{TRAINER}; the decay of 0.9 and the epsilon of 1.0 are {section}",
        ),
        "schedule": P(Exponential(0.045, rate=0.94, every=Epochs(2)), section),
        "ema": C(MovingAverage(0.9999, ramp=True), f"{TRAINER}; averaging is {section}"),
        "l2": C(4e-5, SCOPE),
        "batch_norm": C({"momentum": 0.9997, "epsilon": 0.001}, SCOPE),
        "initializer": C(TruncatedNormal(0.1), MODEL),
        "augmentation": C((SlimCrop(), FlipLeftRight(), SlimDistortion()), SLIM),
        "evaluation": C(CenterCrop(0.875), SLIM),
    }
