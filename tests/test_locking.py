"""One process at a time."""

import subprocess
import sys

import pytest

from keras_convnets.errors import InputError
from keras_convnets.locking import FILE, locked

_HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_one_is_dead(tmp_path):
    with locked(tmp_path / "out"):
        pass
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path / "out" / FILE)], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(InputError, match="Another process works in the folder .*out'; wait"),
            locked(tmp_path / "out"),
        ):
            pass
    finally:
        holder.kill()
        holder.wait()
    with locked(tmp_path / "out"):
        pass
