"""Small Keras nets to read files into."""

import keras
from keras import layers


def net(*steps, size=8):
    """A chain of layers."""
    x = image = keras.Input((size, size, 3))
    for step in steps:
        x = step(x)
    return keras.Model(image, x, name="net")


def conv(filters=4, size=3, **options):
    return layers.Conv2D(filters, size, name=options.pop("name", "conv"), **options)
