"""Models on disk, with what one must know to use them."""

from keras_convnets.deployment.model_card import ModelCard
from keras_convnets.deployment.predictor import Prediction, Predictor
from keras_convnets.deployment.saved_model import find_model, save_model

__all__ = ["ModelCard", "Prediction", "Predictor", "find_model", "save_model"]
