"""A small file under construction, and what tells whether it was read rightly."""

import keras
import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from keras_convnets import weights

from ..peers.tiny_onnx import TinyOnnx


@pytest.fixture
def file(rng):
    return TinyOnnx(rng)


@pytest.fixture
def check(file, tmp_path, rng):
    """A function that loads the file into a net, and compares what both compute."""

    def compare(model, *outputs, image=(1, 8, 8, 3), channels_last=False):
        onnx_model = file.save(tmp_path / "net.onnx", *outputs)
        weights.load(model, tmp_path / "net.onnx")
        x = rng.normal(size=image).astype("float32")
        theirs = x if channels_last else x.transpose(0, 3, 1, 2)
        expected = ReferenceEvaluator(onnx_model).run(None, {"image": theirs})[0]
        found = keras.ops.convert_to_numpy(model(x))
        if found.ndim == 4:
            found = found.transpose(0, 3, 1, 2)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, atol=1e-5 * scale, rtol=1e-4)

    return compare
