"""Record files as other programs write them, by TensorFlow's own writer."""

import io

import numpy as np
import PIL.Image
import tensorflow as tf


def jpeg(value=128):
    """A small image file."""
    file = io.BytesIO()
    PIL.Image.new("RGB", (12, 10), (value, value, value)).save(file, "JPEG")
    return file.getvalue()


def example(**features):
    """An example; `__` in names of features stands for `/`."""
    result = tf.train.Example()
    for key, value in features.items():
        feature = result.features.feature[key.replace("__", "/")]
        values = value if isinstance(value, list) else [value]
        if isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif isinstance(values[0], float):
            feature.float_list.value.extend(values)
        else:
            feature.int64_list.value.extend(values)
    return result.SerializeToString()


def slim(label, **others):
    """As TF-slim and the TensorFlow models write."""
    encoded = jpeg(label * 10 % 256 if isinstance(label, int) else 0)
    return example(image__encoded=encoded, image__class__label=label, **others)


def write(path, contents, compression=""):
    """Writes a record file."""
    path.parent.mkdir(exist_ok=True, parents=True)
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for content in contents:
            writer.write(content)
    return path


def places(path):
    """Offset and length of each record, by what TensorFlow's reader gives."""
    lengths = [len(content) for content in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()]
    ends = np.cumsum([0, *(length + 16 for length in lengths)])
    return ends[:-1].tolist(), lengths
