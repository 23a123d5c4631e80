"""ResNeXt-50's grouped convolutions on a CPU: the gradient at least 50 times as fast as Keras'.

python benchmarks/grouped_convolution.py

Keras' own gradients take seconds each, so that this takes some minutes.
"""

import statistics

import keras
import rich.console
import rich.table
import tensorflow as tf
from compare import machine, median_ratio, seconds, time_in_turns, write_result

from keras_convnets.layers import GroupedConv2D
from keras_convnets.layers.grouped import split_conv

BATCH, GROUPS, ROUNDS = 8, 32, 3
# Channels and pixels a side of the four stages of ResNeXt-50 32x4d (arXiv 1611.05431, table 1).
STAGES = (128, 56), (256, 28), (512, 14), (1024, 7)


class SplitConv2D(keras.layers.Conv2D):
    """A plain convolution for each group."""

    def convolution_op(self, inputs, kernel):
        return split_conv(inputs, kernel, self.groups, self.data_format, padding=self.padding)


RIVALS = {"ours": GroupedConv2D, "keras": keras.layers.Conv2D, "split": SplitConv2D}


def forward(layer, images):
    """Returns a call that computes the outputs, as a graph."""
    return tf.function(lambda: layer(images))


def gradient(layer, images):
    """Returns a call that computes the outputs and the gradients by images and kernel."""

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(layer(images) ** 2)
        return tape.gradient(loss, [images, layer.kernel.value])

    return step


def seconds_a_step(step) -> float:
    """Returns the median of a quarter of a second's steps, or the one step that takes longer."""
    times = [seconds(step)]
    while sum(times) < 0.25:
        times.append(seconds(step))
    return statistics.median(times)


def measure(what, channels: int, size: int) -> dict:
    """Times one stage; returns a row of the result, times in milliseconds."""
    images = tf.random.stateless_normal((BATCH, size, size, channels), (0, 1))
    layers = [
        rival(channels, 3, padding="same", groups=GROUPS, use_bias=False)
        for rival in RIVALS.values()
    ]
    for layer in layers:
        layer.build(images.shape)
        layer.set_weights(layers[0].get_weights())
    times = time_in_turns([what(layer, images) for layer in layers], ROUNDS, seconds_a_step)
    milliseconds = {
        f"{name}_ms": round(1000 * statistics.median(own), 2)
        for name, own in zip(RIVALS, times, strict=True)
    }
    return {
        "what": what.__name__,
        "channels": channels,
        "size": size,
        **milliseconds,
        "keras_to_ours": round(median_ratio(times[1], times[0]), 2),
        "split_to_ours": round(median_ratio(times[2], times[0]), 2),
    }


if __name__ == "__main__":
    rows = [measure(what, *stage) for what in (forward, gradient) for stage in STAGES]
    ratios = [row["keras_to_ours"] for row in rows if row["what"] == "gradient"]
    result = {
        "name": "grouped_convolution",
        "rivals": "keras.layers.Conv2D(groups=32); a plain convolution for each group",
        "rows": rows,
        "gradient_speed_ratio": min(ratios),
        "rounds": ROUNDS,
        "wanted": "gradient_speed_ratio, the least of the stages, at least 50",
        "machine": machine(),
    }
    write_result(result)
    table = rich.table.Table(*(key.replace("_", "\n") for key in rows[0]), title=result["name"])
    for row in rows:
        table.add_row(*map(str, row.values()))
    rich.console.Console().print(table)
