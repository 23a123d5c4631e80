"""A training step of ResNeXt-50 on a CPU, against Keras' grouped convolution and against torch.

A fourth net, without grouped convolutions, shows the most that a faster one could bring.

    python benchmarks/resnext_training_step.py TORCH_PYTHON

TORCH_PYTHON is the interpreter of an environment with torch and torchvision, whose net runs eagerly
with channels last in a process of its own. Keras' own step takes minutes.
"""

import statistics
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
from compare import machine, median_ratio, print_result, time_in_turns, write_result

from keras_convnets import ResNeXt50, _residual

BATCH, SIZE, ROUNDS = 8, 224, 3


def keras_step():
    """Returns a call that trains our net, as the module makes it now, on one batch."""
    model = ResNeXt50(weights=None)
    model.compile(keras.optimizers.SGD(0.01, 0.9), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, SIZE, SIZE, 3)).astype("float32")
    labels = rng.integers(0, 1000, BATCH)
    return lambda: model.train_on_batch(images, labels)


class NoConv2D(keras.layers.Layer):
    """What is left of a grouped convolution that costs nothing: its strides and borders."""

    def __init__(self, filters, kernel_size, *, strides, padding, name, **options):
        super().__init__(name=name)
        self.strides, self.border = strides, 1 if padding == "valid" else 0

    def call(self, inputs):
        ends = slice(self.border, -self.border or None, self.strides)
        return inputs[:, ends, ends]


def keras_step_with(layer):
    """The same net with another layer for its grouped convolutions."""
    ours, _residual.GroupedConv2D = _residual.GroupedConv2D, layer
    try:
        return keras_step()
    finally:
        _residual.GroupedConv2D = ours


def torch_step(process: subprocess.Popen):
    """A step of torch's net in another process, which is idle in between."""

    def step():
        process.stdin.write("step\n")
        process.stdin.flush()
        if process.stdout.readline() != "done\n":
            raise RuntimeError("The process of torch has ended.")

    return step


def main() -> None:
    """Times the four in turns, prints a table, and writes the result."""
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/resnext_training_step.py TORCH_PYTHON")
    script = Path(__file__).with_name("torch_resnext_step.py")
    process = subprocess.Popen(  # noqa: S603 - what the user names
        [sys.argv[1], str(script), str(BATCH), str(SIZE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        steps = [
            keras_step(),
            torch_step(process),
            keras_step_with(keras.layers.Conv2D),
            keras_step_with(NoConv2D),
        ]
        ours, torch, stock, without = time_in_turns(steps, ROUNDS)
        process.stdin.close()
    result = {
        "name": "resnext_training_step",
        "net": f"ResNeXt-50 32x4d, batch {BATCH}, {SIZE} px, float32, SGD with momentum",
        "rivals": "the same net with keras.layers.Conv2D(groups=32); torchvision's "
        "resnext50_32x4d in torch, eager, channels last",
        "ours_seconds": round(statistics.median(ours), 3),
        "torch_seconds": round(statistics.median(torch), 3),
        "stock_seconds": round(statistics.median(stock), 3),
        "seconds_without_grouped_convolutions": round(statistics.median(without), 3),
        "speed_against_torch": round(median_ratio(torch, ours), 2),
        "speed_against_stock": round(median_ratio(stock, ours), 1),
        "stock_against_without": round(median_ratio(stock, without), 1),
        "rounds": ROUNDS,
        "wanted": "speed_against_stock at least 50, speed_against_torch at least 1",
        "machine": machine(),
    }
    write_result(result)
    print_result(result)


if __name__ == "__main__":
    main()
