"""Preprocessing and class names against keras.applications."""

import keras
import numpy as np
import pytest

from keras_convnets import imagenet_utils, lenet, xception


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("kind", ["array", "tensor", "single"])
def test_equals_keras(mode, data_format, dtype, kind, rng):
    x = rng.uniform(0, 255, (2, 3, 5, 3) if data_format == "channels_last" else (2, 3, 5, 5))
    x = x.astype(dtype)
    if kind == "single":
        x = x[0]
    expected = keras.applications.imagenet_utils.preprocess_input(
        x.copy(), data_format=data_format, mode=mode
    )
    given = keras.ops.convert_to_tensor(x) if kind == "tensor" else x
    found = imagenet_utils.preprocess_input(given, data_format=data_format, mode=mode)
    tolerance = 1e-10 if dtype == "float64" else 2e-5
    np.testing.assert_allclose(np.asarray(found), expected, atol=tolerance)
    assert np.asarray(found).dtype == expected.dtype


@pytest.mark.parametrize("mode", imagenet_utils.SCALINGS)
def test_input_is_never_written_to(mode, rng):
    x = rng.uniform(0, 255, (1, 4, 4, 3)).astype("float32")
    before = x.copy()
    imagenet_utils.preprocess_input(x, mode=mode)
    np.testing.assert_array_equal(x, before)


def test_each_architecture_has_its_own_scaling():
    pixels = np.array([[[[0.0, 127.5, 255.0]]]])
    np.testing.assert_allclose(xception.preprocess_input(pixels), [[[[-1, 0, 1]]]])
    np.testing.assert_allclose(lenet.preprocess_input(pixels), [[[[-0.1, 0.5375, 1.175]]]])


@pytest.mark.parametrize(
    ("mode", "first", "last"),
    [
        ("bvlc", 30 - 104, 10 - 123),  # blue comes first
        ("bn_inception", 30 - 104, 10 - 128),
        ("slim_vgg", 10 - 123.68, 30 - 103.939),  # red comes first
    ],
)
def test_a_mean_is_taken_off_in_the_order_of_its_source(mode, first, last):
    middle = 20 - (116.779 if mode == "slim_vgg" else 117)
    found = imagenet_utils.preprocess_input(np.array([[[[10.0, 20.0, 30.0]]]]), mode=mode)
    np.testing.assert_allclose(found, [[[[first, middle, last]]]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "imagenet"}, "one of caffe, tf, torch, cifar, lenet, bvlc"),
        ({"data_format": "NHWC"}, "one of `channels_first` or `channels_last`"),
        ({"mode": "torch"}, "made for 3 channels"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        imagenet_utils.preprocess_input(np.zeros((1, 2, 2, 4)), **arguments)


def test_one_channel_takes_the_luma_of_the_mean():
    """0.299 R + 0.587 G + 0.114 B of the ImageNet mean, in RGB: 123.68, 116.779, 103.939."""
    found = imagenet_utils.preprocess_input(np.zeros((1, 1, 1, 1)), mode="caffe")
    np.testing.assert_allclose(found, [[[[-117.378639]]]])
    grey = np.full((1, 1, 1, 3), 51.0)
    expected = imagenet_utils.preprocess_input(grey, mode="caffe") @ [0.114, 0.587, 0.299]
    found = imagenet_utils.preprocess_input(grey[..., :1], mode="caffe")
    np.testing.assert_allclose(found[..., 0], expected)


def test_thousand_classes_have_their_known_names():
    names = imagenet_utils.class_names()
    assert len(names) == len({wordnet_id for wordnet_id, _ in names}) == 1000
    assert [wordnet_id for wordnet_id, _ in names] == sorted(wordnet_id for wordnet_id, _ in names)
    assert names[0] == ("n01440764", "tench")
    assert names[281] == ("n02123045", "tabby")
    assert names[999] == ("n15075141", "toilet_tissue")


def test_predictions_are_decoded_best_first():
    scores = np.zeros((2, 1000), "float32")
    scores[0, [0, 281]] = 0.1, 0.9
    scores[1, 999] = 1.0
    decoded = xception.decode_predictions(scores, top=2)
    assert [name for _, name, _ in decoded[0]] == ["tabby", "tench"]
    assert decoded[1][0] == ("n15075141", "toilet_tissue", 1.0)


@pytest.mark.parametrize("shape", [(1000,), (1, 10)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expects a batch of predictions"):
        imagenet_utils.decode_predictions(np.zeros(shape))
