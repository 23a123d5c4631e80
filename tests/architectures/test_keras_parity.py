"""The nets that keras.applications has too: equal graphs, names and weights."""

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets.analysis.weightless import weightless
from keras_convnets.weights.dialects.keras_applications import TWINS

from .copying import arrays_of_twin, copy_weights

NETS = sorted(TWINS)
SHALLOWEST = [n for n in NETS if not n.startswith(("ResNet101", "ResNet152", "VGG19"))]
LEAST = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}  # px; 32 for the others
# Where the size of the image decides on borders and on auxiliary heads.
WHOLE = dict.fromkeys(LEAST, 299)
# Options that must not move a weight: they change the graph that Keras' files belong to.
HARMLESS = {
    net: {"dropout_rate": 0.5, **({"aux_logits": True} if "Inception" in net else {})}
    for net in SHALLOWEST
}


def pair(net, **options):
    """The net of keras.applications, and ours."""
    options = {"weights": None, **options}
    return getattr(keras.applications, net)(**options), keras_convnets.get_model(net, **options)


def copy_to_keras(net, ours, theirs):
    """Copies by name where names agree, and the unnamed ones through the twin's own table."""
    order = arrays_of_twin(net, theirs)
    weighted = [layer for layer in theirs.layers if layer.weights]
    for layer, name in zip(weighted, order, strict=True):
        layer.set_weights(ours.get_layer(name).get_weights())


@pytest.fixture
def float64():
    """Everything in float64, so that equal graphs show as equal numbers."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.parametrize("net", NETS)
def test_outputs_are_equal_in_float64(net, float64, rng, randomize):
    """With weights copied from Keras to us, and from us to Keras."""
    shape = (WHOLE.get(net, 75),) * 2 + (3,)
    theirs, ours = pair(net, classifier_activation=None, input_shape=shape)
    images = rng.uniform(-1, 1, (1, *shape))
    for direction in ("from keras", "to keras"):
        if direction == "from keras":
            copy_weights(ours, arrays_of_twin(net, randomize(theirs)))
        else:
            copy_to_keras(net, randomize(ours), theirs)
        expected = keras.ops.convert_to_numpy(theirs(images))  # untraced: tracing takes longer
        assert expected.dtype == np.float64
        assert np.std(expected) > 0.01
        found = keras.ops.convert_to_numpy(ours(images))
        np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize(
    ("net", "options"),
    [
        *((net, {"classes": 7, "classifier_activation": None}) for net in SHALLOWEST),
        *((net, {"include_top": False}) for net in SHALLOWEST),
        ("Xception", {"include_top": False, "pooling": "avg"}),
        ("Xception", {"include_top": False, "pooling": "max"}),
    ],
)
def test_outputs_are_equal_in_float32(net, options, rng, randomize):
    size = LEAST.get(net, 32)
    theirs, ours = pair(net, input_shape=(size, size, 3), **options)
    copy_weights(ours, arrays_of_twin(net, randomize(theirs)))
    images = rng.uniform(-1, 1, (2, size, size, 3)).astype("float32")
    expected = keras.ops.convert_to_numpy(theirs(images))
    found = keras.ops.convert_to_numpy(ours(images))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("net", SHALLOWEST)
@pytest.mark.filterwarnings("ignore:.*has no weights for the auxiliary heads")
def test_options_of_training_do_not_disturb_the_weights(net, rng, randomize, tmp_path):
    """A file of keras.applications loads right whatever layers stand beside the main path."""
    shape = (150, 150, 3)
    theirs = getattr(keras.applications, net)(weights=None, input_shape=shape)
    randomize(theirs).save(tmp_path / "file.h5")
    ours = keras_convnets.get_model(
        net, weights=tmp_path / "file.h5", input_shape=shape, **HARMLESS[net]
    )
    images = rng.uniform(-1, 1, (1, *shape)).astype("float32")
    found = ours(images)
    found = found["predictions"] if isinstance(found, dict) else found
    np.testing.assert_allclose(found, theirs(images), atol=1e-5)


@pytest.mark.parametrize("net", SHALLOWEST)
def test_channels_first_outputs_are_equal(net, rng, randomize):
    keras.config.set_image_data_format("channels_first")
    size = LEAST.get(net, 32)
    theirs, ours = pair(net, input_shape=(3, size, size))
    copy_weights(ours, arrays_of_twin(net, randomize(theirs)))
    images = rng.uniform(-1, 1, (2, 3, size, size)).astype("float32")
    expected = keras.ops.convert_to_numpy(theirs(images))
    found = keras.ops.convert_to_numpy(ours(images))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("include_top", [True, False])
def test_shapes_totals_and_stable_names_are_those_of_keras(net, include_top):
    theirs, ours = weightless(lambda: list(map(outline, pair(net, include_top=include_top))))
    unnamed = {name for names in TWINS[net].unnamed.values() for name in names}
    counted = ("conv2d", "batch_normalization", "activation", "add", "average_pooling2d")
    counted += ("max_pooling2d", "concatenate", "custom_scale_layer", "input_layer")
    stable = {name for name in theirs["layers"] if not name.startswith(counted)}
    assert ("predictions" in stable) == include_top
    assert stable <= set(ours["layers"])
    assert not stable & unnamed
    assert ours["count"] == theirs["count"]
    assert ours["shapes"] == theirs["shapes"]


def outline(model):
    """What is compared of a net that has no values."""
    return {
        "layers": [layer.name for layer in model.layers],
        "count": model.count_params(),
        "shapes": (model.input.shape, model.output.shape),
    }
