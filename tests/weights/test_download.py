"""The cache of weights and its downloads, against a server on this machine that misbehaves."""

import concurrent.futures
import hashlib
import http.server
import io
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import files
from keras_convnets.errors import InputError
from keras_convnets.progress import downloading
from keras_convnets.weights import download as downloads
from keras_convnets.weights.cache import cache_folder, obtain
from keras_convnets.weights.catalog import RemoteFile

CONTENT = np.random.default_rng(5).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
HASHES = (
    f"md5:{MD5}",
    f"sha1:{hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()}",
    (f"sha256:{SHA256[:8]}"),
)


class Server(http.server.ThreadingHTTPServer):
    """Serves one file, as `cut`, `ranges` and so on say.

    Attributes:
        content: of the file.
        cut: after how many bytes the connection ends, or `None`.
        ranges: whether it can begin in the middle.
        tells_length: whether it tells how much comes.
        delay: in seconds, before each 50,000 bytes.
        seen: header "Range" of each request.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.cut, self.ranges, self.tells_length = CONTENT, None, True, True
        self.delay, self.seen = 0.0, []

    def handle_error(self, request, client_address):
        pass  # clients that go away are what is tested

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.seen.append(self.headers["Range"])
        if self.path != "/file.bin":
            self.send_error(404)
            return
        start = 0
        if server.ranges and self.headers["Range"]:
            start = int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"])[1])
            if start >= len(server.content):
                self.send_error(416)
                return
            self.send_response(206)
            end = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        else:
            self.send_response(200)
        if server.tells_length:
            self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        body = io.BytesIO(server.content[start : server.cut])
        while part := body.read(50_000):
            time.sleep(server.delay)
            self.wfile.write(part)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The cache, which is not there yet."""
    folder = tmp_path / "a" / "cache"
    monkeypatch.setenv("KERAS_CONVNETS_CACHE", str(folder))
    monkeypatch.setenv("no_proxy", "*")
    return folder


def remote(server, published=f"sha256:{SHA256}", path="file.bin"):
    return RemoteFile(f"{server.url}/{path}", "net.bin", published)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("published", HASHES)
def test_a_file_is_downloaded_once_and_checked_by_its_published_hash(server, folder, published):
    file = remote(server, published)
    path = obtain(file)
    assert path == folder / "net.bin"
    assert path.read_bytes() == CONTENT
    assert obtain(file) == path
    assert server.seen == [None]
    assert names(folder) == ["net.bin"]


def test_what_came_before_a_cut_is_kept_and_continued(server, folder):
    server.cut = 120_000
    with pytest.raises(InputError, match="ended after 120,000 of 300,000 bytes"):
        obtain(remote(server))
    assert not (folder / "net.bin").exists()
    server.cut = None
    assert obtain(remote(server)).read_bytes() == CONTENT
    assert server.seen == [None, "bytes=120000-"]
    assert names(folder) == ["net.bin"]


def test_a_server_that_cannot_continue_is_asked_for_all(server, folder):
    folder.mkdir(parents=True)
    (folder / ".partial.net.bin").write_bytes(CONTENT[:1000])
    server.ranges = False
    assert obtain(remote(server)).read_bytes() == CONTENT
    assert server.seen == ["bytes=1000-"]


@pytest.mark.parametrize("left", [b"another file", CONTENT + b"and more"])
def test_what_does_not_lead_to_the_published_hash_is_begun_anew(server, folder, left):
    folder.mkdir(parents=True)
    (folder / ".partial.net.bin").write_bytes(left)
    assert obtain(remote(server)).read_bytes() == CONTENT
    assert server.seen == [f"bytes={len(left)}-", None]


def test_a_whole_file_that_was_not_moved_into_place_needs_no_server(server, folder):
    folder.mkdir(parents=True)
    (folder / ".partial.net.bin").write_bytes(CONTENT)
    assert obtain(remote(server)).read_bytes() == CONTENT
    assert server.seen == []


def test_another_file_than_the_published_one_is_refused_and_removed(server, folder):
    server.content = b"a page that says sorry"
    found = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(InputError, match=f"another file, of sha256 {found}.*sha256:{SHA256}"):
        obtain(remote(server))
    assert names(folder) == []


def test_a_cached_file_with_a_wrong_hash_is_refused_and_never_used(server, folder):
    folder.mkdir(parents=True)
    path = folder / "net.bin"
    path.write_bytes(b"damaged")
    with pytest.raises(InputError, match=f"{path}.* delete it.* {MD5} is published"):
        obtain(remote(server, f"md5:{MD5}"))
    assert path.read_bytes() == b"damaged"
    assert server.seen == []


@pytest.mark.parametrize("tells_length", [True, False])
def test_without_a_published_hash_the_first_one_is_recorded_and_checked(
    server, folder, tells_length
):
    server.tells_length = tells_length
    file = remote(server, None)
    with pytest.warns(UserWarning, match="No hash is published for 'net.bin'; its sha256 is kept"):
        path = obtain(file)
    assert (folder / "net.bin.sha256").read_text() == f"{SHA256}  net.bin\n"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert obtain(file) == path
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match=f"has changed since it was used first.*{SHA256}"):
        obtain(file)
    assert server.seen == [None]


def test_a_record_outlives_the_file(server, folder):
    folder.mkdir(parents=True)
    (folder / "net.bin.sha256").write_text(f"{'0' * 64}  net.bin\n")
    with pytest.raises(InputError, match=f"{SHA256}, and {'0' * 64} is on record"):
        obtain(remote(server, None))


def test_a_folder_that_cannot_be_written_to_still_serves(folder, monkeypatch):
    def read_only(path, text):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files, "write_text", read_only)
    folder.mkdir(parents=True)
    (folder / "net.bin").write_bytes(CONTENT)
    with pytest.warns(UserWarning, match=r"can't be kept beside it \(Permission denied\)"):
        obtain(RemoteFile("http://127.0.0.1/net.bin", "net.bin", None))


def test_a_cut_without_a_published_hash_leaves_nothing(server, folder):
    server.cut = 120_000
    with pytest.raises(InputError, match="ended after 120,000 of 300,000 bytes"):
        obtain(remote(server, None))
    assert names(folder) == []


def message_of(file):
    with pytest.raises(InputError) as error:
        obtain(file)
    message = str(error.value)
    assert "\n" not in message
    for part in (file.url, repr(file.name), repr(str(cache_folder())), file.hash or "no hash is"):
        assert part in message
    return message


def test_failures_are_one_sentence_that_says_what_to_do_by_hand(server, folder, monkeypatch):
    assert "HTTP Error 404: Not Found" in message_of(remote(server, path="other.bin"))
    assert "HTTP Error 404: Not Found" in message_of(remote(server, None, path="other.bin"))
    assert names(folder) == []
    nobody = RemoteFile("http://127.0.0.1:1/net.bin", "net.bin", None)
    assert "Connection refused" in message_of(nobody)
    monkeypatch.setattr(downloads, "TIMEOUT", 0.1)
    server.delay = 0.5
    assert "timed out" in message_of(remote(server))


def test_no_network_is_one_sentence(monkeypatch):
    def no_network(*args, **options):
        raise OSError(-3, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.getaddrinfo", no_network)
    file = RemoteFile("https://example.com/net.bin", "net.bin", None)
    assert ": Temporary failure in name resolution; a copy" in message_of(file)


def test_a_full_disk_is_told_before_the_download(server, folder, monkeypatch):
    usage = shutil.disk_usage(folder.parents[1])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=200_000))
    told = message_of(remote(server))
    assert "needs 0.3 MB free for net.bin. Received: 0.2 MB" in told
    assert names(folder) == []


def test_a_folder_that_cannot_be_made_is_one_sentence(folder):
    folder.parent.parent.mkdir(exist_ok=True)
    folder.parent.write_text("a file")
    assert "can't be downloaded" in message_of(RemoteFile("http://127.0.0.1/n", "net.bin", None))


def test_only_the_web_is_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    assert "only http and https" in message_of(RemoteFile(secret.as_uri(), "net.bin", None))


@pytest.mark.parametrize(
    ("asked", "led", "is_allowed"),
    [
        ("http://a.org/x", "https://b.org/x", True),
        ("https://a.org/x", "https://b.org/x", True),
        ("http://a.org/x", "http://b.org/x", True),
        ("https://a.org/x", "http://b.org/x", False),
        ("http://a.org/x", "ftp://b.org/x", False),
    ],
)
def test_redirections_stay_in_the_web_and_keep_secure(asked, led, is_allowed):
    def redirect():
        request = urllib.request.Request(asked)  # noqa: S310 - nothing is opened
        return downloads._Redirections().redirect_request(request, None, 302, "Found", {}, led)

    if is_allowed:
        assert redirect().full_url == led
    else:
        with pytest.raises(urllib.error.URLError, match="leads to"):
            redirect()


@pytest.mark.parametrize("published", [f"sha256:{SHA256}", None])
@pytest.mark.filterwarnings("ignore:No hash is published")
def test_two_at_once_wait_for_each_other(server, folder, published):
    server.delay = 0.05
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(obtain, [remote(server, published)] * 4))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert server.seen == [None]
    assert names(folder) == ["net.bin"] + ["net.bin.sha256"] * (published is None)


@pytest.mark.filterwarnings("ignore:No hash is published")
def test_where_files_cannot_be_locked_each_process_has_its_own(server, folder, monkeypatch):
    monkeypatch.setattr(downloads, "_lock", lambda handle: False)
    assert obtain(remote(server, None)).read_bytes() == CONTENT
    assert names(folder) == ["net.bin", "net.bin.sha256"]


@pytest.mark.filterwarnings("ignore:No hash is published")
def test_a_kill_in_the_middle_leaves_nothing_that_is_taken_for_whole(server, folder):
    server.delay = 0.2
    code = (
        "from keras_convnets.weights.cache import obtain\n"
        "from keras_convnets.weights.catalog import RemoteFile\n"
        f"obtain(RemoteFile({server.url + '/file.bin'!r}, 'net.bin', None))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        part = folder / ".partial.net.bin"
        while not (part.exists() and part.stat().st_size):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert names(folder) == [".partial.net.bin"]
    server.delay = 0
    assert obtain(remote(server, None)).read_bytes() == CONTENT
    assert server.seen == [None, None]  # what no hash proves is not continued
    assert names(folder) == ["net.bin", "net.bin.sha256"]


def test_a_download_is_told_in_a_line_where_there_is_no_terminal(capsys):
    for quiet in (False, True):
        with downloading("net.bin", 300_000, quiet=quiet) as advance:
            advance(10)
    assert capsys.readouterr() == ("", "Downloading net.bin (300.0 kB)\n")


def test_the_cache_is_that_of_keras_but_for_the_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", "~/keras")
    monkeypatch.setenv("KERAS_CONVNETS_CACHE", "~/own")
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("KERAS_CONVNETS_CACHE")
    assert cache_folder() == tmp_path / "keras" / "models"
    monkeypatch.delenv("KERAS_HOME")
    assert cache_folder() == Path.home() / ".keras" / "models" == tmp_path / ".keras" / "models"
