"""Python functions that TensorFlow's graphs call, in this process or in others."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf
from tensorflow.python.ops import script_ops

_HERE = threading.local()

# The registry of TensorFlow holds functions weakly.
_SHARED: dict[str, Callable] = {}


@contextlib.contextmanager
def shared(name: str) -> Iterator[None]:
    """Gives the functions of the pipelines that are built within it names that don't change.

    TensorFlow numbers Python functions as they come, so that a graph finds them in the process that
    built it alone. A graph of this one finds them in every process that built the same pipeline
    under the same name before: there they are that process' own, with its own files and its own
    order of images. Workers of a cluster get their graphs from the chief.

    Args:
        name: of the pipeline; another one of the same name takes its place.
    """
    before = getattr(_HERE, "counts", None), getattr(_HERE, "name", None)
    _HERE.counts, _HERE.name = {}, name
    try:
        yield
    finally:
        _HERE.counts, _HERE.name = before


def call(function: Callable, inputs: Sequence[tf.Tensor], dtype: tf.DType) -> tf.Tensor:
    """Returns what a function of NumPy arrays gives; it depends on its inputs alone.

    Args:
        function: takes an array for each input and returns one.
        inputs: tensors.
        dtype: of what it returns; the shape is unknown.
    """
    name = getattr(_HERE, "name", None)
    if name is None:
        return tf.numpy_function(function, inputs, dtype, stateful=False)
    about = f"{name}/{function.__qualname__}"
    count = _HERE.counts[about] = _HERE.counts.get(about, 0) + 1
    token = f"keras_convnets/{about}/{count}"
    _SHARED[token] = function
    script_ops._py_funcs._funcs[token] = function
    return tf.raw_ops.PyFuncStateless(input=list(inputs), token=token, Tout=[dtype])[0]
