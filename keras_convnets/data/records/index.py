"""`index.json`: what a folder of record shards holds."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_convnets.errors import InputError
from keras_convnets.files import read_json, write_json

INDEX = "index.json"
VERSION = 1
CHANNELS = 1, 3  # of images: grey or RGB


@dataclasses.dataclass(frozen=True)
class Shard:
    """One file of records.

    Attributes:
        file: its name within the folder.
        examples: number of records.
        bytes: size of the file.
    """

    file: str
    examples: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class Index:
    """What `index.json` says.

    Attributes:
        name: what the source of the records was called.
        classes: names of the classes, in the order of the labels.
        channels: channels of the images.
        is_multi_label: whether an image may have several labels, or none.
        made_from: hash of the source, number of shards and seed; `make-records` goes on with a
            folder only if they are the same.
        splits: the shards of each split.
    """

    name: str
    classes: tuple[str, ...]
    channels: int
    is_multi_label: bool
    made_from: Mapping[str, Any]
    splits: Mapping[str, tuple[Shard, ...]]

    def write(self, folder: Path) -> None:
        """Writes `index.json` whole or not at all."""
        splits = {
            name: {
                "examples": sum(shard.examples for shard in shards),
                "bytes": sum(shard.bytes for shard in shards),
                "shards": [dataclasses.asdict(shard) for shard in shards],
            }
            for name, shards in self.splits.items()
        }
        write_json(
            folder / INDEX,
            {
                "version": VERSION,
                **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
                "splits": splits,
            },
        )

    @classmethod
    def read(cls, folder: Path) -> "Index":
        """Reads `index.json`.

        Raises:
            InputError: if there is none, or it is no index of records.
        """
        path = folder / INDEX
        content = read_json(path)
        try:
            if content["version"] != VERSION:
                raise InputError(
                    f"{str(path)!r} is of version {content['version']!r}; this version of "
                    f"keras_convnets reads {VERSION}."
                )
            splits = {
                name: tuple(_read_shard(shard) for shard in split["shards"])
                for name, split in content["splits"].items()
            }
            index = cls(
                *(content[name] for name in ("name", "classes", "channels", "is_multi_label")),
                content["made_from"],
                splits,
            )
            index._check()
        except KeyError as error:
            raise InputError(f"{str(path)!r} is no index of records: it lacks {error}.") from error
        except (AttributeError, TypeError) as error:
            raise InputError(
                f"{str(path)!r} is no index of records: its fields are not as `make-records` "
                "writes them."
            ) from error
        return dataclasses.replace(index, classes=tuple(index.classes))

    def _check(self) -> None:
        if not (
            isinstance(self.name, str)
            and isinstance(self.classes, list)
            and all(isinstance(name, str) for name in self.classes)
            and self.channels in CHANNELS
            and isinstance(self.is_multi_label, bool)
            and isinstance(self.made_from, dict)
            and set(self.splits) <= {"train", "validation", "test"}
            and self.splits
            and all(self.splits.values())
        ):
            raise TypeError


def _read_shard(fields: Mapping[str, Any]) -> Shard:
    shard = Shard(**fields)
    numbers = shard.examples, shard.bytes
    is_name = isinstance(shard.file, str) and Path(shard.file).name == shard.file
    if not is_name or "\0" in shard.file or any(type(n) is not int or n < 0 for n in numbers):
        raise TypeError
    return shard
