"""What a parameter server costs a step of a tiny net, and what a second worker gives a larger one.

    python asynchronous_steps.py

The tiny net, LeNet-5 on batches of 8, trains on one device and with one worker and one parameter
server: the difference is what the cluster adds to a step. The larger one, ResNet-20 on batches of
128, trains with one worker and with two, each on a core of its own. Steps of the first epoch are
left out: functions are traced in it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from compare import machine, median_ratio, print_result, write_result

from keras_convnets.training import Run

COMMON = ("--data", "fashion_mnist_6k", "--set", "input_size=28")
ASYNCHRONOUS = ("--set", "parallelism=async")
TINY = ("lenet5_mnist", "--data", "fashion_mnist_6k", "--batch-size", "8", "--epochs", "4")
LARGER = ("resnet_cifar10:20", *COMMON, "--epochs", "3")


def milliseconds(folder: Path, recipe: tuple[str, ...], *launch: str) -> float:
    """Returns those of a step behind the first epoch, of a run in a cluster or on one device."""
    out = Path(tempfile.mkdtemp(dir=folder)) / "run"
    command = [sys.executable, "-m", "keras_convnets.cli"]
    train = ["train", *recipe, "--out", str(out)]
    command += ["launch", *launch, "--", *train, *ASYNCHRONOUS] if launch else train
    environ = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environ)  # noqa: S603
    first, *_, last = Run(out).history
    return 1000 * (last["seconds"] - first["seconds"]) / (last["step"] - first["step"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        kinds = {
            "tiny_alone": (TINY,),
            "tiny_one_worker": (TINY, "--workers", "1", "--ps", "1"),
            "larger_one_worker": (LARGER, "--workers", "1", "--ps", "1", "--pin-cores"),
            "larger_two_workers": (LARGER, "--workers", "2", "--ps", "1", "--pin-cores"),
        }
        for _ in range(rounds):  # in turns, for the machine may be noisy
            for kind, arguments in kinds.items():
                times.setdefault(kind, []).append(milliseconds(Path(folder), *arguments))
    pairs = zip(times["tiny_one_worker"], times["tiny_alone"], strict=True)
    added = statistics.median(one - alone for one, alone in pairs)
    faster = median_ratio(times["larger_one_worker"], times["larger_two_workers"])
    result = {
        "name": "asynchronous_steps",
        "machine": machine(),
        "rounds": rounds,
        **{
            f"milliseconds_{kind}": round(statistics.median(all_), 2)
            for kind, all_ in times.items()
        },
        "milliseconds_added_to_a_tiny_step": round(added, 2),
        "speed_with_two_workers": round(faster, 2),
        "wanted": "at most 2.5 ms added, at least 1.5 times the speed",
    }
    print_result(result)
    write_result(result)


if __name__ == "__main__":
    main()
