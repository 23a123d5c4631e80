"""Searches for better hyper-parameters, over the real nets and around the papers' settings."""

import importlib
from typing import Any

from keras_convnets.tuning.limits import Cost, InfeasibleError, Limits
from keras_convnets.tuning.spaces import AXES, SPACES, Space, parse_space

# Keras Tuner takes seconds to import, and a trial needs none of it.
_HOMES = {
    "HyperAlexNet": "families",
    "HyperConvNet": "hyper_models",
    "HyperGoogLeNet": "families",
    "HyperInceptionResNet": "families",
    "HyperInceptionV2": "families",
    "HyperInceptionV3": "families",
    "HyperInceptionV4": "families",
    "HyperLeNet5": "families",
    "HyperNIN": "families",
    "HyperResNeXt": "families",
    "HyperResNet": "families",
    "HyperResNetV2": "families",
    "HyperVGG": "families",
    "HyperXception": "families",
    "tolerate_infeasible": "tuners",
    "tune": "search",
    "write_report": "report.page",
}

__all__ = ["AXES", "SPACES", "Cost", "InfeasibleError", "Limits", "Space", "parse_space", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
