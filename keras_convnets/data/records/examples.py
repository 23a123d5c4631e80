"""The content of records: `tf.train.Example` with an image and its labels.

Names of the features are those of TF-slim and the TensorFlow models; those of TensorFlow Datasets
are shorter.
"""

from collections.abc import Sequence

import google.protobuf.message
import tensorflow as tf

from keras_convnets.errors import InputError

IMAGE_FEATURES = "image/encoded", "image"
LABEL_FEATURES = "image/class/label", "label"
FILE_NAME = "image/filename"
# WordNet ids are of one class each; texts are not: ImageNet has two cranes.
CLASS_NAME_FEATURES = "image/class/synset", "image/class/text"


def encode_example(image: bytes, labels: Sequence[int], file_name: bytes) -> bytes:
    """Returns the content of a record.

    Args:
        image: an image file.
        labels: one class, or several.
        file_name: what the file was called.
    """
    example = tf.train.Example()
    features = example.features.feature
    features[IMAGE_FEATURES[0]].bytes_list.value.append(image)
    features[LABEL_FEATURES[0]].int64_list.value.extend(labels)
    features[FILE_NAME].bytes_list.value.append(file_name)
    return example.SerializeToString(deterministic=True)


def decode_example(content: bytes, where: str) -> tf.train.Example:
    """Returns the example that a record holds.

    Raises:
        InputError: if it holds something else.
    """
    try:
        return tf.train.Example.FromString(content)
    except google.protobuf.message.DecodeError as error:
        raise InputError(f"The record {where} holds no tf.train.Example.") from error


def image_of(example: tf.train.Example, where: str) -> bytes:
    """Returns the image file within an example.

    Raises:
        InputError: if there is none.
    """
    images = _feature(example, IMAGE_FEATURES, where).bytes_list.value
    if len(images) != 1:
        raise InputError(
            f"The image of the record {where} should be one text of bytes, the content of an "
            f"image file. Received: {len(images)} of them"
        )
    return images[0]


def labels_of(example: tf.train.Example, where: str) -> Sequence[int]:
    """Returns the labels of an example, as its writer counted them.

    Raises:
        InputError: if there are none.
    """
    feature = _feature(example, LABEL_FEATURES, where)
    if feature.WhichOneof("kind") not in ("int64_list", None):
        raise InputError(
            f"The label of the record {where} should be of int64. "
            f"Received: {feature.WhichOneof('kind')}"
        )
    return feature.int64_list.value


def class_names_of(example: tf.train.Example, labels: Sequence[int]) -> dict[int, str]:
    """Returns the names of an example's labels, as far as it has them."""
    features = example.features.feature
    for key in CLASS_NAME_FEATURES:
        names = features[key].bytes_list.value if key in features else ()
        if len(names) == len(labels) and all(names):
            texts = (name.decode("utf-8", "replace") for name in names)
            return dict(zip(labels, texts, strict=True))
    return {}


def _feature(example: tf.train.Example, keys: tuple[str, str], where: str) -> tf.train.Feature:
    features = example.features.feature
    for key in keys:
        if key in features:
            return features[key]
    raise InputError(
        f"The record {where} should have a feature {' or '.join(map(repr, keys))}. "
        f"Received: {', '.join(sorted(features)) or 'none'}"
    )
