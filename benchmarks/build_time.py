"""Building Xception against keras.applications: at most 1.1 times as long.

python benchmarks/build_time.py
"""

import keras
from compare import compare

import keras_convnets


def build(builder) -> None:
    """Builds a net in an empty session."""
    keras.utils.clear_session()
    builder(weights=None)


if __name__ == "__main__":
    compare(
        "build_time",
        lambda: build(keras_convnets.Xception),
        lambda: build(keras.applications.Xception),
        rival_name="keras.applications.Xception",
        rounds=15,
        wanted="time_ratio at most 1.1",
    )
