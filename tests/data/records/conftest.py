"""Small sets of records."""

import pytest

from keras_convnets import data
from keras_convnets.data import records


@pytest.fixture
def photos(photo_folder):
    """24 photos of two classes."""
    return data.load(f"folder:{photo_folder}")


@pytest.fixture
def written(photos, tmp_path):
    """A folder of three shards of them."""
    records.write(photos, tmp_path / "out", 3)
    return tmp_path / "out"
