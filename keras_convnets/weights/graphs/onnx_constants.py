"""Constants of ONNX graphs: tensors in the file, and what is computed from them alone."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_convnets.errors import InputError
from keras_convnets.weights.tensors import Stored

# Computed when they are met, so that no chain of them is left for later; larger ones are only
# moved about.
SMALL = 2**16
_MOST_INTEGERS = 32
_ARITHMETIC: dict[str, Callable] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Sqrt": np.sqrt,
    "Neg": np.negative,
    "Reciprocal": np.reciprocal,
    "Exp": np.exp,
    "Abs": np.abs,
}


def stored_tensor(tensor: Any) -> Stored | None:
    """A tensor of the file, or `None` if it has no numbers.

    Args:
        tensor: an `onnx.TensorProto`.

    Raises:
        InputError: if it is outside of the file, or its data do not fit its shape.
    """
    import onnx

    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise InputError(
            f"The tensor {tensor.name!r} is kept in another file, and files are read on their own; "
            "save the model as one file with `onnx.save`."
        )
    shape = tuple(tensor.dims)
    if len(shape) > _MOST_INTEGERS or any(length < 0 for length in shape):
        raise InputError(
            f"The tensor {tensor.name!r} can't have {len(shape)} axes of lengths {shape[:8]}."
        )
    numbers = _numbers(tensor)
    if numbers is None:
        return None
    if numbers != math.prod(shape):
        raise InputError(
            f"The tensor {tensor.name!r} of shape {shape} should have {math.prod(shape)} numbers. "
            f"Received: {numbers}"
        )
    stored = Stored(shape, lambda: onnx.numpy_helper.to_array(tensor))
    return Stored.of(stored.read()) if numbers <= SMALL else stored


def _numbers(tensor: Any) -> int | None:
    """How many numbers a tensor of the file holds."""
    from onnx import helper

    try:
        dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        field = helper.tensor_dtype_to_field(tensor.data_type)
    except KeyError as error:
        raise InputError(
            f"The tensor {tensor.name!r} has a type of no known number {tensor.data_type}."
        ) from error
    if dtype.kind in "Oc":  # texts and complex numbers
        return None
    if tensor.HasField("raw_data"):
        numbers, rest = divmod(len(tensor.raw_data), dtype.itemsize)
        return numbers if not rest else -1
    return len(getattr(tensor, field))


def fold(operation: str, attributes: dict[str, Any], inputs: Sequence[Stored]) -> Stored | None:
    """What an operation makes of constants, or `None` if it is none of those known.

    Args:
        operation: the ONNX operator.
        attributes: by name.
        inputs: constants.

    Raises:
        InputError: if the operation does not fit them.
    """
    first = inputs[0]
    try:
        match operation:
            case "Identity" | "Cast" | "Dropout":
                return first
            case "Transpose":
                axes = attributes.get("perm") or tuple(reversed(range(len(first.shape))))
                if sorted(axes) != list(range(len(first.shape))):
                    raise ValueError(f"axes {axes} of a shape {first.shape}")
                return _eager(first.transposed(*axes))
            case "Reshape" | "Squeeze" | "Unsqueeze" | "Flatten":
                shape = _new_shape(operation, attributes, inputs)
                return _eager(first.reshaped(*shape))
        if operation in _ARITHMETIC:
            return _compute(_ARITHMETIC[operation], inputs)
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(f"The ONNX operator {operation} can't be computed: {error}.") from error
    return None


def _eager(stored: Stored) -> Stored:
    return Stored.of(stored.read()) if math.prod(stored.shape) <= SMALL else stored


def _compute(function: Callable, inputs: Sequence[Stored]) -> Stored | None:
    """Arithmetic on small constants."""
    shape = np.broadcast_shapes(*(stored.shape for stored in inputs))
    if math.prod(shape) > SMALL:
        return None
    with np.errstate(all="ignore"):  # what is not finite is refused with its layer's name
        return Stored.of(np.asarray(function(*(stored.read() for stored in inputs))))


def _new_shape(operation: str, attributes: dict[str, Any], inputs: Sequence[Stored]) -> list[int]:
    """The shape that a constant is brought into."""
    shape = list(inputs[0].shape)
    if operation == "Reshape":
        given = given_integers("shape", attributes, inputs[1:])
        new = [shape[i] if length == 0 else length for i, length in enumerate(given)]
        if new.count(-1) == 1:
            rest = math.prod(length for length in new if length != -1)
            new[new.index(-1)] = math.prod(shape) // rest if rest else 0
    elif operation == "Flatten":
        axis = attributes.get("axis", 1)
        new = [math.prod(shape[:axis]), math.prod(shape[axis:])]
    elif operation == "Squeeze":
        axes = {axis % len(shape) for axis in given_integers("axes", attributes, inputs[1:])}
        new = [n for axis, n in enumerate(shape) if (axis not in axes if axes else n != 1)]
    else:
        axes = given_integers("axes", attributes, inputs[1:])
        new = list(shape)
        for axis in sorted(axis % (len(shape) + len(axes)) for axis in axes):
            new.insert(axis, 1)
    if math.prod(new) != math.prod(shape) or min(new, default=1) < 0:
        raise ValueError(f"a shape {tuple(shape)} into {tuple(new)}")
    return new


def given_integers(
    name: str, attributes: dict[str, Any], inputs: Sequence[Stored | None]
) -> list[int]:
    """The axes or the shape of an operation, which older files have as an attribute.

    Raises:
        ValueError: if they are no short list of integers.
    """
    if inputs and inputs[0] is not None:
        return integers(inputs[0])
    given = list(attributes.get(name, ()))
    if len(given) > _MOST_INTEGERS:
        raise ValueError(f"{len(given)} numbers for its {name}")
    return given


def integers(stored: Stored) -> list[int]:
    """The numbers of a short constant, such as a shape.

    Raises:
        ValueError: if there are too many.
    """
    if math.prod(stored.shape) > _MOST_INTEGERS:
        raise ValueError(f"a constant of shape {stored.shape} in place of a few numbers")
    return [int(number) for number in stored.read().ravel()]
