"""What a net is shown of a test image."""

import dataclasses

from keras_convnets.errors import check_number


@dataclasses.dataclass(frozen=True)
class CenterCrop:
    """One central crop.

    Attributes:
        fraction: side of the crop over the shorter side of the image, in (0, 2]; above 1 the
            image gets a black border.
    """

    fraction: float = 1.0

    def __post_init__(self):
        check_number("The fraction of CenterCrop", self.fraction, above=0, most=2)
