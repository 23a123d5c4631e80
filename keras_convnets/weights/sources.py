"""What a source of weights means: an entry of the catalog, or a file and perhaps its entry."""

import functools
import os
from pathlib import Path

from keras_convnets.errors import InputError
from keras_convnets.weights import catalog
from keras_convnets.weights.catalog import Entry
from keras_convnets.weights.hashes import digest
from keras_convnets.weights.readers import READERS


def entry_of(source: str | os.PathLike) -> Entry | None:
    """Returns the entry of the catalog that a source names, `None` if it means a file.

    Raises:
        InputError: if it is neither.
    """
    source = os.fspath(source)
    if os.sep in source or os.path.exists(source):
        return None
    is_known = any(source.lower() == entry.name.lower() for entry in catalog.entries())
    looks_like_a_file = source.lower().endswith(tuple(READERS))  # so do names such as VGG16.keras
    return None if looks_like_a_file and not is_known else catalog.find(source)


def existing_file(path: Path) -> Path:
    """Returns the file that a path means: itself, or the model of a run.

    Raises:
        InputError: if there is none.
    """
    path = path / "model.keras" if path.is_dir() else path
    is_checkpoint = path.with_name(f"{path.name}.index").is_file()  # of TensorFlow, in parts
    if not path.is_file() and not is_checkpoint:
        raise InputError(f"There is no weights file at {str(path)!r}.")
    return path


def entry_of_file(path: str | os.PathLike) -> Entry | None:
    """Returns the entry of the catalog that a file is the download of, if that is sure.

    It is if the file has the published hash, whatever it is called; where none is published, if it
    is called as in the cache.
    """
    path = Path(path)
    if not path.is_file():
        return None
    state = path.stat()
    return _recognized(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _recognized(path: Path, size: int, changed: int) -> Entry | None:
    """Reads a file of that size and age once."""
    digests: dict[str, str] = {}
    for entry in catalog.entries():
        for file in filter(None, (entry.file, entry.headless)):
            if file.hash is None and path.name == file.name:
                return entry
            if file.hash is not None and path.suffix == Path(file.name).suffix:
                kind, digits = file.hash.split(":")
                digests[kind] = digests.get(kind) or digest(path, kind)
                if digests[kind].startswith(digits):
                    return entry
    return None
