"""The files of public weights on this machine."""

import os
import warnings
from pathlib import Path

from keras_convnets import files
from keras_convnets.errors import InputError
from keras_convnets.weights.catalog.entry import RemoteFile
from keras_convnets.weights.download import download
from keras_convnets.weights.hashes import digest, matches


def cache_folder() -> Path:
    """Returns the folder that downloads are kept in.

    It is KERAS_CONVNETS_CACHE if that is set; else Keras' own, so that what Keras has downloaded
    serves: `models` in KERAS_HOME, or in `~/.keras`.
    """
    own = os.environ.get("KERAS_CONVNETS_CACHE")
    if own:
        return Path(os.path.expanduser(own))
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(os.path.expanduser(home)) / "models"


def obtain(file: RemoteFile, quiet: bool = False) -> Path:
    """Returns where a file lies in the cache, after it was downloaded if need be, and checked.

    A published hash is checked each time. Where none is published, the file's own sha256 is kept
    beside it, as `sha256sum` writes it, when it is used first, and checked ever after.

    Args:
        file: a file of the catalog.
        quiet: whether to show no progress.

    Raises:
        InputError: if it can't be downloaded, or its hash is wrong; such a file is never used.
    """
    path = cache_folder() / file.name
    if not path.is_file():
        download(file, path, quiet=quiet)
    elif file.hash is not None and not matches(path, file.hash):
        kind, digits = file.hash.split(":")
        raise InputError(
            f"The file {str(path)!r} is damaged or another one; delete it, and it is downloaded "
            f"anew. Its {kind} is {digest(path, kind)} where {digits} is published."
        )
    if file.hash is None:
        _check_record(path)
    return path


def _check_record(path: Path) -> None:
    """Makes sure that a file is what it was when it was used first.

    Raises:
        InputError: if it has changed.
    """
    record = path.with_name(f"{path.name}.sha256")
    found = digest(path, "sha256")
    if record.is_file():
        kept = record.read_text(encoding="utf-8", errors="replace").split()[:1]
        if kept != [found]:
            raise InputError(
                f"The file {str(path)!r} has changed since it was used first; delete it, and "
                f"{record.name!r} beside it too if you trust what is published now. Its sha256 is "
                f"{found}, and {''.join(kept) or 'none'} is on record."
            )
        return
    try:
        files.write_text(record, f"{found}  {path.name}\n")
        then = f"its sha256 is kept in {record.name!r} beside it and checked from now on"
    except OSError as error:
        then = f"and its sha256 can't be kept beside it ({error.strerror})"
    warnings.warn(f"No hash is published for {path.name!r}; {then}.", stacklevel=3)
