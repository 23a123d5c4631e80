"""Pickles as data: a machine for the few steps that containers and tensors need.

A pickle is a program, and Python's own machine for it calls whatever the program names. This one
knows the steps that make numbers, texts, lists, tuples, dictionaries and what `Classes.find`
allows; a program with any other step is refused before the first one is done.
"""

import io
import pickletools
from typing import Any, Protocol

# Bytes of a program; that of a deep net has some 100,000.
LONGEST = 2**24


class ForeignError(Exception):
    """A pickle asks for something that is neither a tensor nor a container."""


class Classes(Protocol):
    """What a pickle may name."""

    def find(self, module: str, name: str) -> Any:
        """Returns what is called in place of a class or function, or raises `ForeignError`."""

    def storage(self, reference: Any) -> Any:
        """Returns what a reference to something beside the pickle means."""


class Buildable:
    """What a pickle makes first and fills after."""

    def build(self, state: Any) -> None:
        """Takes what belongs into it."""
        raise NotImplementedError


_MARK = object()
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = {
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES",
}  # fmt: skip
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_STEPS = {
    *_EMPTY, *_CONSTANTS, *_VALUES, *_TUPLES, "PROTO", "FRAME", "MARK", "TUPLE", "GLOBAL",
    "STACK_GLOBAL", "BINPERSID", "REDUCE", "BUILD", "APPEND", "APPENDS", "SETITEM", "SETITEMS",
    "BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET", "STOP",
}  # fmt: skip


def run(file: io.BufferedIOBase, classes: Classes) -> Any:
    """Reads one pickle from a file, which is left behind it.

    Args:
        file: open for reading in binary.
        classes: what the pickle may name.

    Raises:
        ForeignError: if it names anything else.
        ValueError: if it is damaged; so are other errors of broken programs.
    """
    program = []
    start = file.tell()
    for step, argument, position in pickletools.genops(file):
        if step.name not in _STEPS:
            raise ForeignError(f"a step {step.name} of a pickle")
        if position is not None and position - start > LONGEST:
            raise ValueError("the pickle is too long")
        program.append((step.name, argument))
    return _Machine(classes).run(program)


class _Machine:
    """A stack, and what has been made so far."""

    def __init__(self, classes: Classes):
        self._classes = classes
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, program: list[tuple[str, Any]]) -> Any:
        """Does every step; returns what is left."""
        for name, argument in program:
            if name == "STOP":
                return self._stack.pop()
            self._do(name, argument)
        raise ValueError("the pickle has no end")

    def _do(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _VALUES:
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
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            stack.append(self._classes.find(*argument.split(" ")))
        elif name == "STACK_GLOBAL":
            stack.append(self._classes.find(*self._pop(2)))
        elif name == "BINPERSID":
            (reference,) = self._pop(1)
            stack.append(self._classes.storage(reference))
        elif name == "REDUCE":
            called, arguments = self._pop(2)
            if not callable(called):
                raise ValueError("the pickle calls what is no function")
            stack.append(called(*arguments))
        elif name == "BUILD":
            (state,) = self._pop(1)
            if isinstance(stack[-1], Buildable):
                stack[-1].build(state)  # others are told their attributes, which tensors do without
        elif name in ("APPEND", "APPENDS"):
            items = self._pop(1) if name == "APPEND" else self._pop_to_mark()
            self._top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._pop(2) if name == "SETITEM" else self._pop_to_mark()
            target = self._top(dict)
            for key, value in zip(items[::2], items[1::2], strict=True):
                if not isinstance(key, str | int):  # others may take endlessly to compare
                    raise ValueError("a key of a dictionary is neither a text nor a number")
                target[key] = value

    def _top(self, kind: type) -> Any:
        if not isinstance(self._stack[-1], kind):
            raise ValueError(f"the pickle fills what is no {kind.__name__}")
        return self._stack[-1]

    def _pop(self, count: int) -> list[Any]:
        items = self._stack[-count:]
        if len(items) < count or any(item is _MARK for item in items):
            raise ValueError("the pickle takes more than it made")
        del self._stack[-count:]
        return items

    def _pop_to_mark(self) -> list[Any]:
        items = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]
