"""What a net is shown of a test image."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class CenterCrop:
    """One central crop.

    Attributes:
        fraction: side of the crop over the shorter side of the image; above 1 the image gets a
            black border.
    """

    fraction: float = 1.0
