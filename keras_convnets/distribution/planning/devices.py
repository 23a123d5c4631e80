"""What accelerators can do: printed peaks, and the share of them that a ConvNet's training gets."""

import dataclasses

from keras_convnets.errors import InputError, nearest


@dataclasses.dataclass(frozen=True)
class Device:
    """One device of a worker.

    Attributes:
        name: what users type.
        peak_flops: floating-point operations a second as its maker prints them; `None` if they
            have to be measured.
        peak_source: where that is printed, and for what precision.
        efficiency: share of the peak that training a ConvNet gets.
        efficiency_source: how that is known.
        memory: bytes; `None` if they are not known.
    """

    name: str
    peak_flops: float | None
    peak_source: str
    efficiency: float
    efficiency_source: str
    memory: float | None
    memory_source: str = "data sheet"


# Inception-v3, batch 32 a GPU, synthetic images: images/s x 6 x 5.7132 G multiply-adds / peak.
_MEASURED = "Inception-v3 at batch 32, TensorFlow's published benchmarks of May 2017: {} images/s"
_CHOICE = "a choice, not measured here"

DEVICES = {
    device.name: device
    for device in (
        Device(
            "k80",
            4.365e12,
            "one of the two GPUs of a board: half of 8.73 TFLOP/s, float32 with boost, data sheet",
            0.23,
            _MEASURED.format("29.3"),
            12 * 2**30,
        ),
        Device(
            "p100",
            10.6e12,
            "float32, NVLink version, data sheet",
            0.41,
            _MEASURED.format("128"),
            16 * 2**30,
        ),
        Device("v100", 15.7e12, "float32, NVLink version, data sheet", 0.41, _CHOICE, 16 * 2**30),
        Device(
            "a100",
            156e12,
            "TF32 (TensorFlow's default there), data sheet",
            0.15,
            _CHOICE,
            40 * 2**30,
        ),
        Device(
            "tpu_v3_core",
            61.5e12,
            "bfloat16, half of a chip's 123 TFLOP/s, Cloud TPU documentation",
            0.25,
            _CHOICE,
            16 * 2**30,
        ),
        Device(
            "cpu_core", None, "none is printed", 1.0, "of what was measured", None, "of the machine"
        ),
    )
}


def find_device(name: str) -> Device:
    """Returns a device by its name, in any case.

    Raises:
        InputError: if there is none of that name.

    Example:

    >>> from keras_convnets.distribution.planning import find_device
    >>> find_device("K80").peak_flops
    4365000000000.0
    """
    device = DEVICES.get(name.lower().replace("-", "_"))
    if device is None:
        names = (*DEVICES, "local")
        raise InputError(
            f"There is no device {name!r}; the nearest names are {nearest(name, names)}."
        )
    return device
