"""Asynchronous training with one worker is training on one device, number for number."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# Residual net with batch normalization; auxiliary heads, L2 and a mean of the weights; RMSprop, a
# moving average, and several labels behind large dense layers.
NAMES = ("resnet_imagenet", "googlenet_imagenet", "xception_jft:fc")
LARGE = 1000  # numbers of a kernel that is split


def test_one_worker_gives_the_numbers_of_one_device(tmp_path):
    """One test, for all of it comes from one process that takes a minute."""
    script = Path(__file__).with_name("in_process.py")
    command = (sys.executable, str(script), str(tmp_path), "2", str(LARGE), *NAMES)
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    answers = json.loads(done.stdout.splitlines()[-1])
    for name in NAMES:
        check_numbers(name, answers["runs"][name])
    check_placement(answers["placements"]["xception_jft:fc"])


def check_numbers(name, run):
    """The weights and curves of one device, and no weights but one's own."""
    assert run["largest_difference"] < 1e-9, name
    for ours, theirs in zip(run["asynchronous"], run["alone"], strict=True):
        ours, theirs = ({**row, "seconds": 0} for row in (ours, theirs))
        assert ours == pytest.approx(theirs, rel=1e-6), name
    one, other = (
        {key: value for key, value in each.items() if not isinstance(value, str)}
        for each in run["evaluations"]
    )
    assert other == pytest.approx(one, rel=1e-6), name
    figures = run["figures"]
    assert figures["steps"] == 6
    assert figures["surplus"] == 0
    assert figures["staleness"]["counts"] == {"0": 6}
    assert list(figures["workers"]) == ["0"]


def check_placement(placement):
    """Large kernels and their slots lie on all servers."""
    assert len(placement) == 2
    for layer in ("fc1", "fc2"):
        for slot in ("", "_momentum", "_velocity", "_average"):
            homes = [
                device
                for part in (0, 1)
                for device, paths in placement.items()
                if any(_is_of(path, layer, f"kernel_{part}", slot) for path in paths)
            ]
            assert sorted(homes) == sorted(placement), (layer, slot)


def _is_of(path: str, layer: str, weight: str, slot: str) -> bool:
    if not slot:
        return path == f"{layer}/{weight}"
    return path.endswith(f"/{layer}_{weight}{slot}")
