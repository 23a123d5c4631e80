"""The examples in docstrings give what they show."""

import doctest
import importlib
import inspect
import pkgutil
import re

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets._registry import architectures

# Whole training runs, and a model that one would have made: other tests run these.
LONG = ("train", "Predictor", "reproduce", "tune")


def examples():
    for info in pkgutil.walk_packages(keras_convnets.__path__, "keras_convnets."):
        module = importlib.import_module(info.name)
        for name, item in vars(module).items():
            is_own = getattr(item, "__module__", None) == info.name
            if is_own and ">>>" in (item.__doc__ or "") and name not in LONG:
                yield pytest.param(item.__doc__, id=f"{info.name}.{name}")


@pytest.mark.parametrize("entry", architectures().values(), ids=lambda entry: entry.name)
def test_arguments_of_builders_are_listed_in_order_at_one_indent(entry):
    """Shared texts are put into docstrings of any indentation."""
    text = entry.builder.__doc__
    assert "{" not in text
    assert max(map(len, text.splitlines())) <= 100
    listed = re.search(r"^Args:\n((?:    .*\n)+)\nReturns:\n    A `keras.Model`\.", text, re.M)[1]
    found = re.findall(r"^    (\w+): ", listed, re.M)
    assert found == list(inspect.signature(entry.builder).parameters)
    assert re.search(r"^Raises:\n    InputError: ", text, re.M)


@pytest.mark.parametrize("text", list(examples()))
def test_example_gives_what_it_shows(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"keras": keras, "np": np, "keras_convnets": keras_convnets}
    example = doctest.DocTestParser().get_doctest(text, names, "example", None, 0)
    output = []
    doctest.DocTestRunner().run(example, out=output.append)
    assert not output, "".join(output)
