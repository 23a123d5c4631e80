"""How good a net is on images that it was not trained on."""

from keras_convnets.evaluation.protocols import CenterCrop
from keras_convnets.evaluation.scores import ClassScore, Evaluation, evaluate

__all__ = ["CenterCrop", "ClassScore", "Evaluation", "evaluate"]
