"""Features from inside a net."""

import numpy as np
import pytest

from keras_convnets import LeNet5
from keras_convnets.analysis import feature_extractor
from keras_convnets.errors import InputError


def test_features_are_those_of_the_model(rng):
    model = LeNet5(classifier_activation=None)
    images = rng.normal(size=(2, 32, 32, 1)).astype("float32")
    found = feature_extractor(model, ["f6_act", "rbf"]).predict_on_batch(images)
    assert found["f6_act"].shape == (2, 84)
    np.testing.assert_allclose(found["rbf"], model.predict_on_batch(images), rtol=1e-6)


@pytest.mark.parametrize("taps", [["f7"], []])
def test_unknown_taps_name_the_nearest(taps):
    with pytest.raises(InputError, match="`taps` should name layers"):
        feature_extractor(LeNet5(), taps)
