"""`InceptionResNetV2` at the import path of keras.applications; its home is `inception_resnet`."""

from keras_convnets.inception_resnet import (
    InceptionResNetV2,
    decode_predictions,
    preprocess_input,
)

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]
