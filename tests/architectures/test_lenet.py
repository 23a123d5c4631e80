"""LeNet-5 against the paper's table of layers (papers.md 1a)."""

import numpy as np
import pytest

from keras_convnets import LeNet5, count_complexity


@pytest.mark.parametrize(
    ("layer", "trainable", "shape"),
    [
        ("c1", 156, (28, 28, 6)),
        ("s2", 12, (14, 14, 6)),
        ("c3", 1516, (10, 10, 16)),
        ("s4", 32, (5, 5, 16)),
        ("c5", 48_120, (1, 1, 120)),
        ("f6", 10_164, (84,)),
        ("rbf", 0, (10,)),
    ],
)
def test_each_layer_has_the_papers_count_and_shape(layer, trainable, shape):
    costs = {cost.name: cost for cost in count_complexity(LeNet5()).layers}
    assert costs[layer].trainable == trainable
    assert costs[layer].output_shape == shape


def test_variants_have_their_totals():
    assert count_complexity(LeNet5()).trainable == 60_000
    assert count_complexity(LeNet5(variant="modern")).trainable == 61_706


def test_softmax_acts_on_minus_the_distances(rng):
    """y_i = sum_j (x_j - w_ij)^2, the smallest wins (section II.B)."""
    logits = LeNet5(classifier_activation=None)
    probabilities = LeNet5()
    probabilities.set_weights(logits.get_weights())
    images = rng.normal(size=(3, 32, 32, 1)).astype("float32")
    minus_distance = logits.predict_on_batch(images).astype("float64")
    assert np.all(minus_distance < 0)
    powers = np.exp(minus_distance - minus_distance.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        probabilities.predict_on_batch(images),
        powers / powers.sum(axis=1, keepdims=True),
        atol=1e-5,
    )


def test_paper_variant_has_ten_classes():
    with pytest.raises(ValueError, match="one prototype for each of the 10 digits"):
        LeNet5(classes=11)
    assert LeNet5(classes=11, variant="modern").output.shape == (None, 11)


def test_first_weights_are_uniform_in_the_papers_range():
    """[-2.4 / fan-in, 2.4 / fan-in]."""
    model = LeNet5()
    kernel = model.get_layer("c5").kernel.numpy()
    limit = 2.4 / (25 * 16)
    assert np.abs(kernel).max() <= limit
    assert np.abs(kernel).max() > 0.99 * limit
    c3 = model.get_layer("c3").kernel.numpy()
    assert np.abs(c3[..., :3]).max() <= 2.4 / 75  # the first map sees three maps
    assert np.abs(c3[..., -6:]).max() <= 2.4 / 150  # the last sees six
