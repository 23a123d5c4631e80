"""Searches for better hyper-parameters, over the real nets and around the papers' settings."""

from keras_convnets.tuning.limits import Cost, InfeasibleError, Limits
from keras_convnets.tuning.spaces import AXES, SPACES, Space, parse_space

__all__ = ["AXES", "SPACES", "Cost", "InfeasibleError", "Limits", "Space", "parse_space"]
