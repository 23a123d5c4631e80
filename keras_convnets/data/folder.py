"""A folder of images with one folder for each class."""

import os
from pathlib import Path

import numpy as np

from keras_convnets.data.decoding import find_bad_headers
from keras_convnets.data.encoded import Files
from keras_convnets.data.image_set import ImageSet
from keras_convnets.data.images import SUFFIXES
from keras_convnets.data.splits import Split
from keras_convnets.errors import InputError

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


def load_folder(folder: str | os.PathLike, name: str | None = None) -> ImageSet:
    """Reads the file names and labels below a folder, and the header of each file.

    Files that are no images are left out; `ImageSet.skipped` lists them.

    Args:
        folder: has one folder for each class, or `train`, `val` and `test` folders that have.
            Class folders may have folders of their own.
        name: name of the set; `folder:FOLDER` if `None`.

    Returns:
        An `ImageSet` of three channels; classes in the order of their names.

    Raises:
        InputError: if there is no such folder, no class, or a class without an image.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"There is no folder of images at {str(root)!r}.")
    parts = {
        split: next((root / part for part in parts if (root / part).is_dir()), None)
        for split, parts in SPLIT_NAMES.items()
    }
    others = [part.name for part in (parts["validation"], parts["test"]) if part is not None]
    if parts["train"] is None and others and set(_subfolders(root)) == set(others):
        raise InputError(f"{str(root)!r} has {' and '.join(others)}, but no folder train.")
    if parts["train"] is None:
        parts = {"train": root, "validation": None, "test": None}
    classes = _subfolders(parts["train"])
    if not classes:
        raise InputError(
            f"{str(parts['train'])!r} should hold one folder of images for each class; "
            "it holds no folder."
        )
    splits = {split: _read(part, classes) for split, part in parts.items() if part is not None}
    faults = find_bad_headers([path for split in splits.values() for path in split.encoded.paths])
    splits = {name: split.without(faults) for name, split in splits.items()}
    return ImageSet(
        name=name or f"folder:{root}",
        classes=tuple(classes),
        channels=3,
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits.get("test"),
        skipped=tuple(faults),
    )


def _subfolders(folder: Path) -> list[str]:
    return sorted(
        entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != "."
    )


def _is_image(path: Path, folder: Path) -> bool:
    """Whether a path is an image by its name; what is hidden, or in a hidden folder, is not."""
    is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not is_hidden and path.is_file()


def _read(folder: Path, classes: list[str]) -> Split:
    unknown = sorted(set(_subfolders(folder)) - set(classes))
    if unknown:
        raise InputError(
            f"{str(folder)!r} has classes that the training set lacks: {', '.join(unknown[:5])}."
        )
    files, labels = [], []
    for label, class_name in enumerate(classes):
        found = sorted(path for path in (folder / class_name).rglob("*") if _is_image(path, folder))
        if not found and folder.joinpath(class_name).is_dir():
            raise InputError(
                f"The class folder {str(folder / class_name)!r} has no image files "
                f"({', '.join(SUFFIXES)})."
            )
        files += found
        labels += [label] * len(found)
    return Split(np.array(labels, np.int64), encoded=Files(files))
