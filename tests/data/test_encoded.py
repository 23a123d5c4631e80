"""Encoded images that are read ahead of decoding."""

import io

import numpy as np
import PIL.Image
import tensorflow as tf

from keras_convnets.data import Preprocessing, evaluation_batches
from keras_convnets.data.encoded import Blobs, with_contents
from keras_convnets.data.splits import Split


def blobs(count, rng):
    """Small JPEGs, each with a comment of a megabyte."""
    contents = []
    for _ in range(count):
        content = io.BytesIO()
        PIL.Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(content, "JPEG")
        start, rest = content.getvalue()[:2], content.getvalue()[2:]
        contents.append(start + 16 * (b"\xff\xfe\xff\xff" + bytes(65533)) + rest)
    return Blobs(contents, [f"image {i}" for i in range(count)])


def test_few_large_images_wait_in_memory(rng):
    encoded = blobs(40, rng)
    rows = with_contents(encoded, tf.data.Dataset.range(40))
    sizes = [len(content) for content, _ in rows.as_numpy_iterator()]
    assert 2**23 <= sum(sizes[:16]) < 2**23 + 2**21  # of those that are read at once
    assert sizes[0] == encoded.size(0)  # they are whole or not there


def test_images_that_do_not_wait_are_decoded_all_the_same(rng):
    encoded = blobs(24, rng)
    split = Split(np.arange(24), encoded=encoded)
    [(images, labels)] = evaluation_batches(split, Preprocessing(8, 3, "raw"), 24)
    np.testing.assert_array_equal(labels, np.arange(24))
    for i, image in enumerate(images.numpy()):
        expected = PIL.Image.open(io.BytesIO(encoded.read(i)))
        np.testing.assert_array_equal(image, np.asarray(expected))
