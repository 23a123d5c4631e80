"""Grouped convolutions against NumPy, on every path that a machine can take."""

import functools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import test_util

from keras_convnets.layers import GroupedConv2D

# Of the largest value. Without oneDNN, TensorFlow sums 16-bit kernel gradients in 16 bits.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12, "mixed_bfloat16": 2**-4, "mixed_float16": 2**-7}
WRAPS = {
    "eager": lambda function: function,
    "function": tf.function,
    "jit": lambda function: tf.function(function, jit_compile=True),
}
GEOMETRIES = {
    "same": {"padding": "same"},
    "valid": {"padding": "valid"},
    "strided same": {"strides": 2, "padding": "same"},
    "strided valid": {"strides": (2, 3), "padding": "valid"},
    "wide kernel": {"kernel_size": (1, 4), "padding": "same"},
    "pixel kernel, strided": {"kernel_size": 1, "strides": 2},
    "dilated same": {"dilation_rate": 2, "padding": "same"},
    "dilated valid": {"dilation_rate": (1, 3), "kernel_size": (2, 3)},
}
needs_onednn = pytest.mark.skipif(
    not test_util.IsMklEnabled(), reason="TensorFlow has no grouped gradients here without oneDNN"
)


def output_weights(shape):
    """Whole numbers from -10 to 10, which 16 bits hold: the gradient by the outputs."""
    return np.round(10 * np.cos(np.arange(np.prod(shape)))).reshape(shape)


def expected(layer, x, kernel):
    """Outputs, and the gradients of their weighted sum by x and kernel, in float64.

    Tap by tap: each pixel of the kernel meets one strided slice of the padded images.
    """
    batch, *sizes, channels = x.shape
    groups = layer.groups
    taps = kernel.reshape(*layer.kernel_size, channels // groups, groups, -1)
    axes = list(zip(sizes, layer.kernel_size, layer.dilation_rate, layer.strides, strict=True))
    lengths, margins, inside = [], [], []
    for size, pixels, dilation, stride in axes:
        reach = (pixels - 1) * dilation
        length = -(-(size if layer.padding == "same" else size - reach) // stride)
        margin = max(0, (length - 1) * stride + reach + 1 - size)
        lengths.append(length)
        margins.append((margin // 2, margin - margin // 2))
        inside.append(slice(margin // 2, margin // 2 + size))
    padded = np.pad(x, [(0, 0), *margins, (0, 0)])
    padded = padded.reshape(*padded.shape[:3], groups, -1)
    outputs = np.zeros((batch, *lengths, groups, taps.shape[-1]))
    by_outputs = output_weights(outputs.shape)
    by_padded, by_kernel = np.zeros_like(padded), np.zeros_like(taps)
    for tap in np.ndindex(layer.kernel_size):
        place = tuple(
            slice(start := i * dilation, start + (length - 1) * stride + 1, stride)
            for i, length, (_, _, dilation, stride) in zip(tap, lengths, axes, strict=True)
        )
        seen = padded[:, *place]
        outputs += np.einsum("nhwgi,igo->nhwgo", seen, taps[tap])
        by_padded[:, *place] += np.einsum("nhwgo,igo->nhwgi", by_outputs, taps[tap])
        by_kernel[tap] = np.einsum("nhwgi,nhwgo->igo", seen, by_outputs)
    return (
        outputs.reshape(batch, *lengths, -1),
        by_padded[:, *inside].reshape(x.shape),
        by_kernel.reshape(kernel.shape),
    )


def outputs_and_gradients(layer, x):
    """Outputs, and the gradients of their weighted sum by x and kernel; channels last."""
    is_first = layer.data_format == "channels_first"
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(tf.transpose(x, (0, 3, 1, 2)) if is_first else x)
        y = tf.transpose(y, (0, 2, 3, 1)) if is_first else y
        loss = tf.reduce_sum(y * tf.constant(output_weights(y.shape), y.dtype))
    return y, *tape.gradient(loss, [x, layer.kernel.value])


def assert_equal(found, wanted, tolerance):
    for a, b in zip(found, wanted, strict=True):
        a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
        np.testing.assert_allclose(a, b, atol=tolerance * np.abs(b).max(), rtol=0)


def check(options, policy="float32", wrap=WRAPS["eager"]):
    """Compares a layer with NumPy, on values that its compute dtype can hold."""
    rng = np.random.default_rng(7)
    options = {"filters": 12, "kernel_size": 3, "groups": 4, "use_bias": False} | options
    layer = GroupedConv2D(**options, dtype=policy)
    is_first = layer.data_format == "channels_first"
    layer.build((3, 8, 9, 11) if is_first else (3, 9, 11, 8))

    def draw(shape):
        return np.asarray(tf.cast(rng.normal(size=shape), layer.compute_dtype), "float64")

    x, kernel = draw((3, 9, 11, 8)), draw(layer.kernel.shape)
    layer.set_weights([kernel])
    compute = wrap(lambda x: outputs_and_gradients(layer, x))
    found = compute(tf.constant(x, layer.compute_dtype))
    assert_equal(found, expected(layer, x, kernel), TOLERANCE[policy])


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("policy", TOLERANCE)
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_outputs_and_gradients_are_those_of_each_group_on_its_own(geometry, policy, wrap):
    check(geometry, policy, wrap)


@pytest.mark.parametrize("policy", ["float32", "float64"])
@pytest.mark.parametrize(("groups", "filters"), [(1, 12), (2, 12), (8, 8), (8, 24)], ids=str)
def test_any_number_of_groups_from_one_to_one_a_channel(groups, filters, policy):
    check({"groups": groups, "filters": filters}, policy)


@pytest.mark.parametrize("policy", ["float32", "float64"])
def test_channels_first(policy):
    check({"data_format": "channels_first", "strides": (2, 1)}, policy)


def operations(layer, x):
    """How many Conv2D operations a call has, and whether it calls a function that XLA compiles."""
    graph = tf.function(lambda x: layer(x)).get_concrete_function(x).graph.as_graph_def()
    functions = graph.library.function
    nodes = [*graph.node, *(node for function in functions for node in function.node_def)]
    count = sum(node.op == "Conv2D" for node in nodes)
    return count, any("_XlaMustCompile" in function.attr for function in functions)


@pytest.mark.parametrize(
    ("policy", "count"), [pytest.param("float32", 1, marks=needs_onednn), ("float64", 4)]
)
def test_one_operation_where_it_has_gradients_else_one_for_each_group(policy, count):
    x = tf.zeros((2, 5, 5, 8), policy)
    assert operations(GroupedConv2D(8, 3, groups=4, dtype=policy), x) == (count, False)
    assert operations(keras.layers.Conv2D(8, 3, groups=4, dtype=policy), x) == (1, True)


def test_other_backends_take_the_path_of_keras(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert operations(GroupedConv2D(8, 3, groups=4), tf.zeros((2, 5, 5, 8))) == (1, True)


def test_bias_and_activation_are_applied_as_by_keras(rng):
    options = {"filters": 12, "kernel_size": 3, "groups": 4, "activation": "relu"}
    layers = [cls(**options) for cls in (keras.layers.Conv2D, GroupedConv2D)]
    for layer in layers:
        layer.build((None, 5, 5, 8))
        layer.set_weights([np.cos(np.arange(w.size)).reshape(w.shape) for w in layer.get_weights()])
    x = rng.normal(size=(2, 5, 5, 8)).astype("float32")
    theirs, ours = (np.asarray(layer(x)) for layer in layers)
    assert (theirs == 0).any()
    assert (theirs > 0).any()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_config_and_weights_are_interchangeable_with_keras(rng):
    x = rng.normal(size=(2, 9, 9, 8)).astype("float32")
    pairs = (GroupedConv2D, keras.layers.Conv2D), (keras.layers.Conv2D, GroupedConv2D)
    for cls, other in pairs:
        layer = cls(12, (3, 1), 2, "same", groups=4, kernel_regularizer="l2", name="conv")
        outputs = layer(x)
        again = other.from_config(layer.get_config())
        assert again.get_config() == layer.get_config()
        again.build(x.shape)
        again.set_weights(layer.get_weights())
        assert [v.path for v in again.weights] == [v.path for v in layer.weights]
        np.testing.assert_allclose(again(x), outputs, atol=1e-5)


def test_saved_model_loads_in_safe_mode(tmp_path, rng):
    inputs = keras.Input((8, 8, 8))
    model = keras.Model(inputs, GroupedConv2D(12, 3, groups=4)(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(again.layers[1]) is GroupedConv2D
    x = rng.normal(size=(2, 8, 8, 8)).astype("float32")
    np.testing.assert_array_equal(again(x), model(x))


def test_images_smaller_than_the_kernel_are_refused():
    """TensorFlow's kernel alone would give such an image back as its own convolution."""
    layer = GroupedConv2D(8, 3, groups=4)
    layer.build((None, None, None, 8))
    with pytest.raises(ValueError, match="zero or negative"):
        layer(tf.ones((1, 2, 2, 8)))


def run_alone(call, **environment):
    """Calls a function of this module in a new process, before TensorFlow has begun."""
    subprocess.run(
        [sys.executable, "-c", f"import test_grouped; test_grouped.{call}()"],
        cwd=os.path.dirname(__file__),
        env={**os.environ, **environment},
        check=True,
        timeout=120,
    )


def check_without_onednn():
    x = tf.zeros((2, 5, 5, 8))  # seen first while a graph is traced
    assert operations(GroupedConv2D(8, 3, groups=4), x) == (4, False)
    for policy in TOLERANCE:
        for wrap in WRAPS.values():
            check({"strides": 2, "padding": "same"}, policy, wrap)
    check({"data_format": "channels_first"})
    check({"dilation_rate": 2})


def test_every_group_is_convolved_on_its_own_without_onednn():
    run_alone("check_without_onednn", TF_ENABLE_ONEDNN_OPTS="0")


def check_on_two_replicas():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    rng = np.random.default_rng(7)
    x, kernel = rng.normal(size=(2, 2, 6, 6, 8)), rng.normal(size=(3, 3, 2, 12))
    for policy in ("float32", "float64"):
        with strategy.scope():
            layer = GroupedConv2D(12, 3, groups=4, use_bias=False, dtype=policy)
            layer.build((None, 6, 6, 8))
        layer.set_weights([kernel])
        batches = strategy.experimental_distribute_values_from_function(
            lambda context, dtype=policy: tf.constant(x[context.replica_id_in_sync_group], dtype)
        )
        step = functools.partial(outputs_and_gradients, layer)
        for run in (strategy.run, tf.function(strategy.run)):
            results = run(step, [batches])
            for replica in range(2):
                found = [result.values[replica] for result in results]
                assert_equal(found, expected(layer, x[replica], kernel), TOLERANCE[policy])


def test_replicas_of_a_mirrored_strategy_compute_their_own_batches():
    run_alone("check_on_two_replicas")
