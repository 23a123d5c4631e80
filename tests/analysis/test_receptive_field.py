"""Receptive fields, against what gradients reach."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_convnets
from keras_convnets.analysis import receptive_field
from keras_convnets.errors import InputError

SIZE = 171  # px; the "valid" layers of the Inception nets drop no pixel of it


def reached(model, layer, cell):
    """First and last pixel, along height and width, that move a cell of a feature map."""
    import tensorflow as tf

    features = keras.Model(model.inputs, model.get_layer(layer).output)
    for variable in model.variables:  # positive, so that nothing cancels and every ReLU is open
        variable.assign(tf.ones(variable.shape) / max(1, np.prod(variable.shape[:-1])))
    images = tf.random.uniform((1, *model.inputs[0].shape[1:]), 0.5, 1.0)
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = tf.reduce_sum(features(images)[0, cell, cell])
    touched = np.abs(tape.gradient(value, images)).sum(axis=(0, 3)) > 0
    rows, columns = np.where(touched.any(axis=1))[0], np.where(touched.any(axis=0))[0]
    return (rows[0], rows[-1]), (columns[0], columns[-1])


def expected(fields, cell, size=SIZE):
    """The same from receptive fields, cut at the borders of the image."""
    ranges = []
    for field in fields:
        first = field.first + cell * field.stride
        ranges.append((max(first, 0), min(first + field.size, size) - 1))
    return tuple(ranges)


@pytest.mark.parametrize(
    ("stack", "cell"),
    [
        ([layers.Conv2D(1, 3, name="end")], 0),
        ([layers.Conv2D(1, (1, 7), name="end")], 5),
        ([layers.Conv2D(1, 3, strides=2, padding="same", name="end")], 0),
        ([layers.Conv2D(1, 3, dilation_rate=4, name="end")], 3),
        ([layers.ZeroPadding2D(3), layers.Conv2D(1, 7, strides=2, name="end")], 1),
        ([layers.DepthwiseConv2D(5), layers.Conv2D(1, 3, strides=3, name="end")], 4),
        ([layers.SeparableConv2D(2, 3), layers.AveragePooling2D(2), layers.ReLU(name="end")], 7),
        ([layers.Conv2D(2, 3, strides=2), layers.Conv2D(2, 3, strides=2, name="end")], 2),
    ],
)
def test_fields_are_what_gradients_reach(stack, cell):
    model = keras.Sequential([keras.Input((SIZE, SIZE, 2)), *stack])
    assert reached(model, "end", cell) == expected(receptive_field(model)["end"], cell)


@pytest.mark.parametrize(
    ("name", "options", "layer"),
    [
        ("InceptionV3", {"repeats": (1, 1, 1)}, "mixed0"),
        ("InceptionV3", {"repeats": (1, 1, 1)}, "mixed2"),
        ("InceptionResNetV2", {"repeats": (1, 1, 1)}, "block35_1_ac"),
        ("GoogLeNet", {"variant": "torchvision"}, "inception_3b"),
        ("Xception", {"middle_repeats": 0}, "block3_add"),
    ],
)
def test_fields_of_nets_are_what_gradients_reach(name, options, layer):
    model = keras_convnets.get_model(
        name, weights=None, include_top=False, input_shape=(SIZE, SIZE, 3), **options
    )
    for pool in model.layers:  # the largest of equal values would hide the others
        if isinstance(pool, layers.MaxPooling2D):
            pool.call = layers.AveragePooling2D(pool.pool_size, pool.strides, pool.padding).call
    cell = model.get_layer(layer).output.shape[1] // 2
    assert reached(model, layer, cell) == expected(receptive_field(model)[layer], cell)


def test_what_sees_the_whole_image_has_no_field():
    model = keras_convnets.LeNet5(classifier_activation=None)
    fields = receptive_field(model)
    assert (fields["s4_act"][0].size, fields["s4_act"][0].stride) == (16, 4)  # 1 + 4 + 1 + 8 + 2
    assert "f6" not in fields
    assert "avg_pool" not in receptive_field(keras_convnets.GoogLeNet(weights=None))


def test_free_sizes_need_an_input_shape():
    model = keras_convnets.GoogLeNet(weights=None, include_top=False)
    with pytest.raises(InputError, match="`receptive_field` needs an `input_shape`"):
        receptive_field(model)
    assert receptive_field(model, (224, 224, 3))["inception_5b"][0].stride == 32
