"""Python functions that TensorFlow's graphs call, in this process or in others."""

import collections
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf
from tensorflow.python.ops import script_ops

from keras_convnets.errors import InputError

# The registry of TensorFlow holds functions weakly.
_SHARED: dict[str, Callable] = {}


class _Pipeline:
    """A pipeline that is being built, whose functions get names."""

    def __init__(self, name: str, who: str | None):
        self._name, self._who = name, who
        self._counts = collections.Counter()

    def share(self, function: Callable) -> str:
        """Returns the name that a function is found by."""
        about = f"{self._name}/{function.__qualname__}"
        self._counts[about] += 1
        token = f"keras_convnets/{about}/{self._counts[about]}"
        if self._who is None:
            return token

        def answer(*arrays):
            try:
                return function(*arrays)
            except InputError as error:
                raise InputError(f"{self._who}: {error}") from error

        _SHARED[token] = script_ops._py_funcs._funcs[token] = answer
        return token


class _Here(threading.local):
    pipeline: _Pipeline | None = None


_HERE = _Here()


@contextlib.contextmanager
def shared(name: str, who: str | None) -> Iterator[None]:
    """Gives the functions of the pipelines that are built within it names that don't change.

    TensorFlow numbers Python functions as they come, so that a graph finds them in the process that
    built it alone. A graph of this one finds them in every process that built the same pipeline
    under the same name before: there they are that process' own, with its own files and its own
    order of images. Workers of a cluster get their graphs from the chief.

    Args:
        name: of the pipeline; another one of the same name takes its place.
        who: this process, for messages of what is bad; `None` if it only makes graphs for others.
    """
    before = _HERE.pipeline
    _HERE.pipeline = _Pipeline(name, who)
    try:
        yield
    finally:
        _HERE.pipeline = before


def is_shared() -> bool:
    """Whether pipelines that are built now are for other processes as well."""
    return _HERE.pipeline is not None


def call(function: Callable, inputs: Sequence[tf.Tensor], dtype: tf.DType) -> tf.Tensor:
    """Returns what a function of NumPy arrays gives; it depends on its inputs alone.

    Args:
        function: takes an array for each input and returns one.
        inputs: tensors.
        dtype: of what it returns; the shape is unknown.
    """
    if _HERE.pipeline is None:
        return tf.numpy_function(function, inputs, dtype, stateful=False)
    token = _HERE.pipeline.share(function)
    return tf.raw_ops.PyFuncStateless(input=list(inputs), token=token, Tout=[dtype])[0]
