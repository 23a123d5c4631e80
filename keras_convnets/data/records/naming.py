"""Which class a label of foreign records means.

Their writers count in two ways. Those of the TensorFlow models and TPU scripts for ImageNet and for
folders (`build_imagenet_data.py`, `build_image_data.py`, `imagenet_to_gcs.py`) leave 0 to a
background class that no image has, and write `image/class/text` or `image/class/synset`; those of
TF-slim for other sets, and TensorFlow Datasets, count from 0 and write neither, but a file of names
beside the shards.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from keras_convnets.errors import InputError

# One class a line: slim's `0:daisy`, and TensorFlow Datasets' plain names.
_NAME_FILES = "labels.txt", "label.labels.txt"
_BACKGROUND = "background"
# More classes than any set has: a label above it is a damaged number.
_MOST_CLASSES = 1_000_000


def name_classes(
    least: int, most: int, names: Mapping[int, str], folders: Iterable[Path], where: str
) -> tuple[tuple[str, ...], int]:
    """Names the classes of foreign records.

    Labels begin at 1 if the records name their classes and none has the label 0, or if the file of
    names calls the label 0 "background"; else they begin at 0.

    Args:
        least: the least label that a record has.
        most: the greatest one.
        names: of classes by label, from the records.
        folders: where the shards are, and maybe `labels.txt` or `label.labels.txt`.
        where: what was opened, for messages.

    Returns:
        The names, where classes without one are called by their number; and the label of the first.

    Raises:
        InputError: if a label is negative, or too large.
    """
    if least < 0 or most >= _MOST_CLASSES:
        raise InputError(
            f"The labels of {where!r} should be 0 to {_MOST_CLASSES - 1:,}. "
            f"Received: {least:,} to {most:,}"
        )
    if names:
        first = 1 if least >= 1 else 0
    else:
        names = next(filter(None, map(_read_names, folders)), {})
        first = 1 if least >= 1 and names.get(0) == _BACKGROUND else 0
        most = max(most, *names) if names else most
    return tuple(names.get(label, str(label)) for label in range(first, most + 1)), first


def _read_names(folder: Path) -> dict[int, str]:
    for name in _NAME_FILES:
        try:
            lines = folder.joinpath(name).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        pairs = [line.partition(":") for line in lines if line.strip()]
        if all(number.isdecimal() and colon for number, colon, _ in pairs):
            return {
                int(number): text.strip()
                for number, _, text in pairs
                if len(number) < len(str(_MOST_CLASSES))
            }
        return dict(enumerate(line.strip() for line in lines if line.strip()))
    return {}
