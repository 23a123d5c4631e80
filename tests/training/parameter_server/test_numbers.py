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


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    command = (
        sys.executable,
        str(Path(__file__).with_name("in_process.py")),
        str(tmp_path_factory.mktemp("runs")),
        "2",
        str(LARGE),
        *NAMES,
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NAMES)
def test_one_worker_gives_the_weights_of_one_device(name, answers):
    assert answers["runs"][name]["largest_difference"] < 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_one_worker_gives_the_curves_of_one_device(name, answers):
    run = answers["runs"][name]
    for ours, theirs in zip(run["asynchronous"], run["alone"], strict=True):
        ours, theirs = ({**row, "seconds": 0} for row in (ours, theirs))
        assert ours == pytest.approx(theirs, rel=1e-6)
    one, other = (
        {name: value for name, value in each.items() if not isinstance(value, str)}
        for each in run["evaluations"]
    )
    assert other == pytest.approx(one, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_one_worker_meets_weights_of_its_own_alone(name, answers):
    figures = answers["runs"][name]["figures"]
    assert figures["steps"] == 6
    assert figures["surplus"] == 0
    assert figures["staleness"]["counts"] == {"0": 6}
    assert list(figures["workers"]) == ["0"]


def test_large_kernels_and_their_slots_lie_on_all_servers(answers):
    placement = answers["placements"]["xception_jft:fc"]
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
