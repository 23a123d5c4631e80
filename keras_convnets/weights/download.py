"""Downloads: whole and with the right hash, or not at all."""

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from keras_convnets._version import __version__
from keras_convnets.errors import InputError, reason_of
from keras_convnets.files import check_space
from keras_convnets.progress import downloading
from keras_convnets.weights.catalog.entry import RemoteFile
from keras_convnets.weights.hashes import digest, matches

TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 20
_HEADERS = {"User-Agent": f"keras-convnets/{__version__}", "Accept-Encoding": "identity"}
_WEB = "https", "http"


def download(file: RemoteFile, path: Path, quiet: bool = False) -> None:
    """Downloads a file to `path`, which is whole and has the published hash, or is not there.

    If the hash is published, what has come before a failure is kept, and continued by the next
    try. A process that finds another one downloading the same file waits for it.

    Args:
        file: what to download.
        path: where to.
        quiet: whether to show no progress.

    Raises:
        InputError: if it fails; the message says how to do it by hand.
    """
    try:
        if not file.url.startswith(tuple(f"{scheme}://" for scheme in _WEB)):
            raise ValueError("only http and https are allowed")
        path.parent.mkdir(parents=True, exist_ok=True)
        with _reserved(path) as part:
            if path.is_file():  # by another process, while this one waited
                part.unlink(missing_ok=True)
                return
            _complete(file, part, quiet)
            os.replace(part, path)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InputError(
            f"{file.url} can't be downloaded: {_told(error)}; a copy from elsewhere belongs into "
            f"{str(path.parent)!r} as {file.name!r} ({file.hash or 'no hash is published'})."
        ) from error


@contextlib.contextmanager
def _reserved(path: Path) -> Iterator[Path]:
    """Gives the path of the file that a download grows in, for this process alone."""
    part = path.with_name(f".partial.{path.name}")
    while True:
        with part.open("ab") as handle:
            if not _lock(handle):
                break
            if _is_at(handle, part):
                yield part
                return
        # Another process had it, and has moved it into place or given it up.
    part.unlink(missing_ok=True)
    yield path.with_name(f".{os.getpid()}.partial.{path.name}")


def _lock(handle: BinaryIO) -> bool:
    """Locks a file once no other process has it locked; not every system and disk can."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
    except (ImportError, OSError):
        return False
    return True


def _is_at(handle: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _complete(file: RemoteFile, part: Path, quiet: bool) -> None:
    """Downloads what is missing of a file, and checks the whole."""
    try:
        if file.hash is None:
            _empty(part)
        elif _size(part) and _goes_on(file, part, quiet):
            return
        _fetch(file, part, quiet)
        if file.hash is not None and not matches(part, file.hash):
            kind = file.hash.partition(":")[0]
            found = digest(part, kind)
            part.unlink()
            raise ValueError(f"what came is another file, of {kind} {found}")
    except BaseException:
        if file.hash is None or not _size(part):
            part.unlink(missing_ok=True)
        raise


def _goes_on(file: RemoteFile, part: Path, quiet: bool) -> bool:
    """Completes what an earlier try left; empties it if that does not make the file."""
    if matches(part, file.hash):  # only the last step was missing
        return True
    try:
        _fetch(file, part, quiet)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
    if matches(part, file.hash):
        return True
    _empty(part)
    return False


def _fetch(file: RemoteFile, part: Path, quiet: bool) -> None:
    """Appends to a file what follows of it, or writes it anew if the server only gives all.

    Raises:
        OSError: if less comes than was told.
        InputError: if the disk has no room for it.
    """
    start = _size(part)
    range_ = {"Range": f"bytes={start}-"} if start else {}
    # `download` has made sure that the address is one of the web.
    request = urllib.request.Request(file.url, headers=_HEADERS | range_)  # noqa: S310
    with _OPENER.open(request, timeout=TIMEOUT) as response, part.open("ab") as out:
        if start and not _continues(response, start):
            out.truncate(0)
            start = 0
        length = response.headers["Content-Length"]
        total = None if length is None else start + int(length)
        check_space(part.parent, 0 if total is None else total - start, file.name)
        with downloading(file.name, total, start, quiet) as advance:
            while chunk := response.read1(_CHUNK):
                out.write(chunk)
                advance(len(chunk))
        out.flush()
        os.fsync(out.fileno())
    if total is not None and _size(part) < total:
        raise OSError(f"the connection ended after {_size(part):,} of {total:,} bytes")


def _continues(response: http.client.HTTPResponse, start: int) -> bool:
    told = response.headers["Content-Range"] or ""
    return response.status == http.HTTPStatus.PARTIAL_CONTENT and told.startswith(f"bytes {start}-")


def _empty(path: Path) -> None:
    # Not removed, for the lock is on this file, and another process would make and lock its own.
    if path.exists():
        os.truncate(path, 0)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _told(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        error = error.reason
    return getattr(error, "strerror", None) or reason_of(error)


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Follows redirections within the web, and never from https to http."""

    def redirect_request(self, req: urllib.request.Request, *args: Any) -> Any:
        followed = super().redirect_request(req, *args)
        if followed.type not in _WEB or (req.type, followed.type) == _WEB:
            raise urllib.error.URLError(f"it leads to {followed.full_url}")
        return followed


_OPENER = urllib.request.build_opener(_Redirections)
