"""Nets applied to whole images equal the trained nets where both can be had (papers.md 4b)."""

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets.errors import InputError
from keras_convnets.evaluation import dense_net


def assert_equal_at_own_size(model, rng):
    images = rng.normal(size=(2, *model.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(
        dense_net(model)(images), model.predict_on_batch(images), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("VGG11", {"input_shape": (64, 96, 3), "head_units": (12, 9), "width_multiplier": 0.1}),
        ("VGG11", {"input_shape": (64, 64, 3), "head_units": (), "width_multiplier": 0.1}),
        ("AlexNet", {"head_units": (16, 8), "width_multiplier": 0.1}),
        ("GoogLeNet", {"head": "dense", "input_shape": (64, 64, 3), "width_multiplier": 0.1}),
        ("Xception", {"input_shape": (71, 71, 3), "width_multiplier": 0.1, "middle_repeats": 0}),
        ("NIN", {"width_multiplier": 0.1}),
        ("VGG11", {"separable": True, "input_shape": (64, 64, 3), "width_multiplier": 0.1}),
        ("ResNet18", {"input_shape": (64, 64, 3), "width_multiplier": 0.1}),
        ("LeNet5", {"variant": "modern"}),
        ("ResNet18", {"classifier_activation": "sigmoid", "width_multiplier": 0.1}),
        (
            "Xception",
            {
                "classifier_activation": "sigmoid",
                "head_units": (9, 5),
                "input_shape": (71, 71, 3),
                "width_multiplier": 0.1,
                "middle_repeats": 0,
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_the_dense_net_is_the_net_at_its_own_size(name, options, rng, randomize):
    model = keras_convnets.get_model(name, weights=None, classes=7, **options)
    assert_equal_at_own_size(randomize(model), rng)


def crops(images, size, stride):
    """Every crop that the stride of the net can see, as (places, size, size, channels)."""
    height, width = images.shape[:2]
    return np.stack(
        [
            images[y : y + size, x : x + size]
            for y in range(0, height - size + 1, stride)
            for x in range(0, width - size + 1, stride)
        ]
    )


def unpadded(head):
    """A net without padding whose windows lie side by side, so that a crop of an image gives what
    the same window of the whole image gives."""
    image = keras.Input((12, 8, 3))
    x = keras.layers.Conv2D(5, 4, strides=4, activation="relu")(image)  # 3 x 2
    return keras.Model(image, head(x))


def log_softmax_mean(model, images):
    """The softmax of the mean of the logits, from the probabilities of crops."""
    logits = np.log(model.predict_on_batch(images).astype("float64"))
    # A softmax forgets a constant of each image, and so does the last one.
    mean = logits.mean(axis=0)
    return np.exp(mean) / np.exp(mean).sum()


def test_dense_layers_become_convolutions_over_larger_images(rng):
    """The class score map of a larger image is that of all its crops, one after another."""

    def head(x):
        x = keras.layers.Dense(6, activation="relu")(keras.layers.Flatten()(x))
        return keras.layers.Dense(4, activation="softmax")(keras.layers.Dropout(0.5)(x))

    model = unpadded(head)
    image = rng.normal(size=(24, 20, 3)).astype("float32")
    windows = np.stack(
        [image[y : y + 12, x : x + 8] for y in range(0, 13, 4) for x in range(0, 13, 4)]
    )
    assert len(windows) == 16
    found = dense_net(model)(image[None])[0]
    np.testing.assert_allclose(found, log_softmax_mean(model, windows), atol=1e-6)


def test_of_several_labels_the_scores_are_averaged_too(rng):
    """The sigmoid of the mean of the logits, from the probabilities of crops."""
    model = unpadded(
        lambda x: keras.layers.Dense(4, activation="sigmoid")(keras.layers.Flatten()(x))
    )
    image = rng.normal(size=(12, 20, 3)).astype("float32")
    windows = np.stack([image[:, x : x + 8] for x in range(0, 13, 4)])
    probabilities = model.predict_on_batch(windows).astype("float64")
    logits = np.log(probabilities) - np.log1p(-probabilities)
    expected = 1 / (1 + np.exp(-logits.mean(axis=0)))
    np.testing.assert_allclose(dense_net(model)(image[None])[0], expected, atol=1e-6)
    assert np.abs(expected - probabilities.mean(axis=0)).max() > 1e-3


def test_a_global_average_is_the_mean_of_the_scores_of_all_places(rng):
    image = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(5, 4, strides=4, activation="relu")(image)  # 1 x 1
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(4, activation="softmax")(x))
    whole = rng.normal(size=(20, 12, 3)).astype("float32")
    found = dense_net(model)(whole[None])[0]
    np.testing.assert_allclose(found, log_softmax_mean(model, crops(whole, 4, 4)), atol=1e-6)
    probabilities = model.predict_on_batch(crops(whole, 4, 4)).mean(axis=0)
    assert np.abs(found - probabilities).max() > 1e-3, "which is not the mean of probabilities"


def test_a_dense_net_shares_the_weights_of_its_model(rng):
    model = unpadded(
        lambda x: keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(x))
    )
    dense = dense_net(model)
    images = rng.normal(size=(2, 12, 8, 3)).astype("float32")
    before = dense(images).numpy()
    model.set_weights([-weight for weight in model.get_weights()])
    after = dense(images).numpy()
    assert np.abs(before - after).max() > 1e-3
    np.testing.assert_allclose(after, model.predict_on_batch(images), atol=1e-6)


def test_nets_with_other_heads_are_refused_in_a_sentence():
    lenet = keras_convnets.LeNet5()
    with pytest.raises(InputError, match="can't be applied densely.*'rbf', RadialBasisOutput"):
        dense_net(lenet)
    normed = unpadded(
        lambda x: keras.layers.Dense(3)(
            keras.layers.BatchNormalization(name="norm")(keras.layers.Flatten()(x))
        )
    )
    with pytest.raises(InputError, match="Received: the layer 'norm', BatchNormalization"):
        dense_net(normed)
    active = unpadded(
        lambda x: keras.layers.Dense(3)(
            keras.layers.Activation("relu")(keras.layers.Flatten(name="flat")(x))
        )
    )
    with pytest.raises(InputError, match="the layer behind 'flat' is no dense one"):
        dense_net(active)


def test_a_net_that_needs_its_own_image_size_is_refused_in_a_sentence():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Permute((3, 2, 1))(image)
    x = keras.layers.Reshape((8, 8, 3))(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(x))
    model = keras.Model(image, keras.layers.Dense(2)(x), name="odd")
    small = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
    x = keras.layers.GlobalAveragePooling2D()(small(image))
    nested = keras.Model(image, keras.layers.Dense(2)(x), name="nested")
    for net in (model, nested):
        with pytest.raises(InputError, match=f"'{net.name}' can't be applied densely"):
            dense_net(net)(np.zeros((1, 16, 16, 3), "float32"))
