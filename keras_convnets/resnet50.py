"""`ResNet50` at the import path of keras.applications; its home is `resnet`."""

from keras_convnets.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
