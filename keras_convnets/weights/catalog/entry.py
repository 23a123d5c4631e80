"""One public set of weights, and all that one must know to use it."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """A file on the web.

    Attributes:
        url: where it is.
        name: of the file in the cache; no two files share one.
        hash: "md5:...", "sha1:..." or "sha256:...", in full or its first digits, as it was
            published; `None` where none was.
        size: bytes, or `None` if unknown.
        member: the file within an archive, or `None`.
    """

    url: str
    name: str
    hash: str | None
    size: int | None = None
    member: str | None = None


@dataclasses.dataclass(frozen=True)
class Entry:
    """One public set of weights.

    Attributes:
        name: `Builder.source[_version]`.
        builder: name of the builder.
        options: of the builder, where they differ from its defaults.
        file: the weights.
        headless: the weights without the top, if they are a file of their own.
        licence: of the weights, or "unknown".
        source: who published them.
        ported_from: what they were converted from, or `None` if they were trained as they are.
        classes: number of classes.
        input_size: height and width in pixels.
        resize: the shorter side in pixels before the crop, in the measurement of top-1 and top-5.
        interpolation: "bilinear" or "bicubic", likewise.
        preprocessing: mode of `imagenet_utils.preprocess_input`.
        top1: per cent, single crop, or `None` if none is reported.
        top5: likewise.
        measured: where these figures stand.
        parameters: of the net with its top and without auxiliary heads, moving statistics included.
    """

    name: str
    builder: str
    options: Mapping[str, Any]
    file: RemoteFile
    headless: RemoteFile | None
    licence: str
    source: str
    ported_from: str | None
    classes: int
    input_size: int
    resize: int
    interpolation: str
    preprocessing: str
    top1: float | None
    top5: float | None
    measured: str
    parameters: int
