"""What tests of files that are no good need: a net, and what has to become of it."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import weights
from keras_convnets.errors import InputError

from . import tiny_files
from .tiny_files import WRITERS

_MEMORY = 2**26  # far above what the tiny net and its files take


@pytest.fixture(scope="session")
def tiny_net():
    """The net that bad files are for."""
    return tiny_files.build()


@pytest.fixture(scope="session")
def tiny_contents(tiny_net, tmp_path_factory) -> dict[str, bytes]:
    """What is in its file of each form."""
    folder = tmp_path_factory.mktemp("tiny")
    return {form: tiny_files.write(tiny_net, folder, form).read_bytes() for form in WRITERS}


@pytest.fixture
def refuses(tiny_net) -> Callable[[Path, str], None]:
    """A function that makes sure that a file is refused.

    It takes the path and a pattern of the message, which has to name the file. Afterwards the net
    has the weights that it had, and no memory was taken for what the file claims.
    """

    def check(path: Path, message: str) -> None:
        before = tiny_net.get_weights()
        tracemalloc.start()
        with pytest.raises(InputError, match=message) as caught:
            weights.load(tiny_net, path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert repr(str(path)) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert most < _MEMORY
        for old, new in zip(before, tiny_net.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)

    return check
