"""Pickles as data: a machine for the few steps that containers and tensors need.

A pickle is a program, and Python's own machine for it calls whatever the program names. This one
knows the steps that make numbers, texts, lists, tuples, dictionaries and what `Classes.find`
allows. A program with any other step is refused, as is one that takes long or makes much.
"""

import abc
import io
import pickletools
from collections.abc import Callable
from typing import Any, Protocol

# Bytes of a program and its steps; those of a deep net have some 100,000 and 20,000.
LONGEST = 2**23
_MOST_STEPS = 2**19
# Of a call; the longest is that of a tensor.
_MOST_ARGUMENTS = 16


class ForeignError(Exception):
    """A pickle asks for something that is neither a tensor nor a container."""


class Classes(Protocol):
    """What a pickle may name."""

    def find(self, module: str, name: str) -> Callable:
        """Returns what is called in place of a class or function, or raises `ForeignError`."""

    def storage(self, reference: tuple) -> Any:
        """Returns what a reference to something beside the pickle means."""


class Buildable(abc.ABC):
    """What a pickle makes first and fills after."""

    @abc.abstractmethod
    def build(self, *state: Any) -> None:
        """Takes what belongs into it."""


_MARK = object()
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = {
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES",
}  # fmt: skip
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = ("PROTO", "FRAME")


def run(content: bytes, classes: Classes) -> tuple[Any, int]:
    """Reads the pickle that some bytes begin with.

    Args:
        content: the bytes.
        classes: what the pickle may name.

    Returns:
        What it makes, and its length.

    Raises:
        ForeignError: if it names anything else.
        ValueError: if it is damaged; so are other errors of broken programs.
    """
    machine = _Machine(classes)
    file = io.BytesIO(content[:LONGEST])
    for step, argument, _ in pickletools.genops(file):
        if step.name == "STOP":
            break
        machine.do(step.name, argument)
    return machine.result(), file.tell()


class _Machine:
    """A stack, and what has been made so far."""

    def __init__(self, classes: Classes):
        self._classes = classes
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._steps = 0

    def result(self) -> Any:
        """Returns what was made."""
        (made,) = self._pop(1)
        return made

    def do(self, name: str, argument: Any) -> None:
        """Does one step."""
        self._count(1)
        stack = self._stack
        if name in _VALUES:
            if isinstance(argument, str):
                argument.encode()  # or it can't be told in a message
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            stack.append(tuple(self._pop(_TUPLES[name])))
        elif name == "TUPLE":
            stack.append(tuple(self._pop_to_mark()))
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self._top(object)
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._top(object)
        elif name in ("BINGET", "LONG_BINGET"):
            if argument not in self._memo:
                raise ValueError("its pickle takes what it has not made")
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            stack.append(self._find(*argument.split(" ", maxsplit=1)))
        elif name == "STACK_GLOBAL":
            stack.append(self._find(*self._pop(2)))
        elif name == "BINPERSID":
            (reference,) = self._pop(1)
            stack.append(self._classes.storage(_short(reference)))
        elif name == "REDUCE":
            called, arguments = self._pop(2)
            if not callable(called):
                raise ValueError("its pickle calls what is no function")
            containers = (value for value in _short(arguments) if isinstance(value, list | dict))
            self._count(sum(map(len, containers)))
            stack.append(_call(called, arguments))
        elif name == "BUILD":
            (state,) = self._pop(1)
            if isinstance(self._top(object), Buildable):
                _call(stack[-1].build, _short(state))
            # others are told their attributes, which tensors do without
        elif name in ("APPEND", "APPENDS"):
            items = self._pop(1) if name == "APPEND" else self._pop_to_mark()
            self._top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._pop(2) if name == "SETITEM" else self._pop_to_mark()
            set_items(self._top(dict), zip(items[::2], items[1::2], strict=True))
        elif name not in _NOTHING:
            raise ForeignError(f"a step {name} of a pickle")

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MOST_STEPS:
            raise ValueError("its pickle has too many steps")

    def _find(self, module: Any, name: Any) -> Callable:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise ValueError("its pickle names a function without a text")
        return self._classes.find(module, name)

    def _top(self, kind: type) -> Any:
        if not self._stack or self._stack[-1] is _MARK or not isinstance(self._stack[-1], kind):
            raise ValueError(f"its pickle fills what is no {kind.__name__}")
        return self._stack[-1]

    def _pop(self, count: int) -> list[Any]:
        items = self._stack[-count:]
        if len(items) < count or any(item is _MARK for item in items):
            raise ValueError("its pickle takes more than it made")
        del self._stack[-count:]
        return items

    def _pop_to_mark(self) -> list[Any]:
        items = []
        while self._stack:
            item = self._stack.pop()
            if item is _MARK:
                return items[::-1]
            items.append(item)
        raise ValueError("its pickle takes more than it made")


def _call(called: Callable, arguments: tuple) -> Any:
    try:
        return called(*arguments)
    except TypeError as error:
        raise ValueError("its pickle calls a function in an unknown way") from error


def set_items(target: dict, items: Any) -> None:
    """Puts pairs into a dictionary, whose keys are texts or numbers.

    Others may be nested so deeply that to compare two of them takes Python's whole stack.
    """
    for key, value in items:
        if not isinstance(key, str | int):
            raise ValueError("a key in its pickle is neither a text nor a number")
        target[key] = value


def _short(values: Any) -> tuple:
    """Makes sure that values are as few as those of a call."""
    if not isinstance(values, tuple) or len(values) > _MOST_ARGUMENTS:
        raise ValueError("its pickle calls a function in an unknown way")
    return values
