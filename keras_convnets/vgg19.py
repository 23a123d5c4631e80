"""`VGG19` at the import path of keras.applications; its home is `vgg`."""

from keras_convnets.vgg import VGG19, decode_predictions, preprocess_input

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
