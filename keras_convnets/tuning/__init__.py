"""Searches for better hyper-parameters, over the real nets and around the papers' settings."""

from keras_convnets.tuning.limits import Cost, InfeasibleError, Limits
from keras_convnets.tuning.spaces import AXES, SPACES, Space, parse_space

__all__ = ["AXES", "SPACES", "Cost", "InfeasibleError", "Limits", "Space", "parse_space", "tune"]


def __getattr__(name: str):
    # Keras Tuner takes seconds to import, and a trial needs none of it.
    if name == "tune":
        from keras_convnets.tuning.search import tune

        return tune
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
