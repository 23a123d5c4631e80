"""Values between workers and parameter servers; here the server is this process."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.distribution import transfer


@pytest.fixture
def variables(rng):
    """Three small ones, of which one is an integer and one a number, and two large ones."""
    shapes = ((3, 4), (), (7,), (257, 256), (256, 257))
    kinds = ("float32", "float32", "int32", "float32", "float32")
    return [
        keras.Variable(np.asarray(10 * rng.normal(size=shape)).astype(kind))
        for shape, kind in zip(shapes, kinds, strict=True)
    ]


def operations(function):
    graph = function.get_concrete_function().graph
    return collections.Counter(operation.type for operation in graph.get_operations())


def check_equal(values, variables):
    for value, variable in zip(values, variables, strict=True):
        assert value.dtype == variable.dtype
        np.testing.assert_array_equal(value, variable.numpy())


def test_values_are_read_as_they_are(variables):
    check_equal(tf.function(lambda: transfer.read_from_servers(variables))(), variables)


def test_values_are_brought_as_they_are(variables):
    values = [tf.convert_to_tensor(variable.numpy()) for variable in variables]
    check_equal(tf.function(lambda: transfer.bring_to_servers(values, variables))(), variables)


def test_small_values_of_one_type_are_one_message(variables):
    """One message of small ones, one of the integers, and one for each large one."""
    counts = operations(tf.function(lambda: transfer.read_from_servers(variables)))
    assert counts["ConcatV2"] + counts["Pack"] <= 4
    assert counts["Split"] + counts["SplitV"] == 4


def test_nothing_moves_where_no_server_has_it(variables):
    assert not transfer.is_on_server(variables[0])

    @tf.function
    def computed():
        with transfer.computed_beside(variables[0]):
            return tf.constant(1.0) + 1.0

    assert not any(
        operation.device for operation in computed.get_concrete_function().graph.get_operations()
    )


def test_what_a_server_has_is_computed_there():
    variable = collections.namedtuple("Held", "device")("/job:ps/replica:0/task:1/device:CPU:0")
    assert transfer.is_on_server(variable)
    with tf.Graph().as_default() as graph:
        with transfer.computed_beside(variable):
            tf.constant(1.0)
        tf.constant(2.0)
    assert [operation.device for operation in graph.get_operations()] == [variable.device, ""]
