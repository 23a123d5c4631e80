"""LeNet-5's own layers against NumPy."""

import numpy as np
import pytest

from keras_convnets.layers import (
    ConnectionTableConv2D,
    RadialBasisOutput,
    TrainableSubsampling,
    scaled_tanh,
)
from keras_convnets.layers.lenet import C3_CONNECTIONS, digit_prototypes


def test_scaled_tanh_maps_one_to_one():
    """f(1) = 1 and f(-1) = -1 with the paper's constants (appendix A)."""
    np.testing.assert_allclose(scaled_tanh(np.array([-1.0, 0.0, 1.0])), [-1, 0, 1], atol=1e-4)


def test_subsampling_is_coefficient_times_sum_plus_bias(rng):
    x = rng.normal(size=(2, 6, 4, 3)).astype("float32")
    layer = TrainableSubsampling()
    layer.build(x.shape)
    coefficient, bias = rng.normal(size=3), rng.normal(size=3)
    layer.set_weights([coefficient.reshape(1, 1, 1, 3), bias.reshape(1, 1, 1, 3)])
    sums = x.reshape(2, 3, 2, 2, 2, 3).sum(axis=(2, 4))
    np.testing.assert_allclose(layer(x), sums * coefficient + bias, atol=1e-5)


def test_connection_table_is_a_masked_convolution(rng):
    x = rng.normal(size=(2, 7, 7, 6)).astype("float32")
    layer = ConnectionTableConv2D(C3_CONNECTIONS, 5)
    layer.build(x.shape)
    kernel = rng.normal(size=(5, 5, 60)).astype("float32")
    bias = rng.normal(size=16).astype("float32")
    layer.set_weights([kernel, bias])
    dense = np.zeros((5, 5, 6, 16), "float32")
    pairs = [(i, o) for o, row in enumerate(C3_CONNECTIONS) for i in row]
    for position, (i, o) in enumerate(pairs):
        dense[:, :, i, o] = kernel[:, :, position]
    expected = np.zeros((2, 3, 3, 16))
    for row in range(3):
        for column in range(3):
            patch = x[:, row : row + 5, column : column + 5]
            expected[:, row, column] = np.einsum("nhwi,hwio->no", patch, dense) + bias
    np.testing.assert_allclose(layer(x), expected, atol=1e-4)


def test_connection_table_refuses_maps_that_are_not_there():
    with pytest.raises(ValueError, match="names map 5"):
        ConnectionTableConv2D(C3_CONNECTIONS, 5).build((None, 14, 14, 5))


def test_prototypes_are_ten_different_bitmaps():
    prototypes = digit_prototypes()
    assert prototypes.shape == (10, 84)
    assert set(np.unique(prototypes)) == {-1.0, 1.0}
    distances = ((prototypes[:, None] - prototypes[None]) ** 2).sum(axis=-1)
    assert distances[~np.eye(10, dtype=bool)].min() >= 4 * 6  # at least six pixels apart


def test_rbf_is_minus_the_squared_distance_and_is_not_trained(rng):
    x = rng.normal(size=(3, 84)).astype("float32")
    layer = RadialBasisOutput()
    distance = ((x[:, None] - digit_prototypes()[None]) ** 2).sum(axis=-1)
    np.testing.assert_allclose(layer(x), -distance, rtol=1e-5)
    assert not layer.trainable_variables


@pytest.mark.parametrize(
    "layer",
    [TrainableSubsampling(), ConnectionTableConv2D(C3_CONNECTIONS, 5)],
    ids=["subsampling", "table"],
)
def test_shapes_are_known_before_the_layer_runs(layer):
    free = layer.compute_output_shape((None, None, 14, 6))
    assert free[1] is None
    declared = layer.compute_output_shape((1, 14, 14, 6))
    assert tuple(layer(np.zeros((1, 14, 14, 6), "float32")).shape) == declared
