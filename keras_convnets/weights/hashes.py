"""Hashes of files."""

import hashlib
from pathlib import Path


def digest(path: Path, kind: str) -> str:
    """The hash of a file in hexadecimal digits.

    Args:
        path: the file.
        kind: "md5", "sha1" or "sha256".
    """
    with path.open("rb") as file:
        # Where only hashes for security are allowed, md5 of a download is none of these.
        return hashlib.file_digest(
            file, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


def matches(path: Path, published: str) -> bool:
    """Whether a file has a published hash, "kind:digits", of which the first digits may suffice."""
    kind, digits = published.split(":")
    return digest(path, kind).startswith(digits)
