"""What a printed rate of steps would mean, in each way that it can be read."""

import dataclasses

from keras_convnets.distribution.planning.work import Work

UPDATES = "updates of the weights"
SUMMED = "gradients, summed over workers"


@dataclasses.dataclass(frozen=True)
class Reading:
    """A reading of "steps per second" of synchronous workers.

    Attributes:
        name: what a step is taken for.
        updates_per_second: of the weights.
        images_per_second: of all workers.
        worker_images_per_second: of one.
        worker_flops: floating-point operations a second of one.
        share_of_peak: these of the device's peak.
    """

    name: str
    updates_per_second: float
    images_per_second: float
    worker_images_per_second: float
    worker_flops: float
    share_of_peak: float

    def days(self, images: float) -> float:
        """Returns how many days so many images take."""
        return images / self.images_per_second / (24 * 60 * 60)

    def images_in(self, days: float) -> float:
        """Returns how many images so many days are."""
        return self.images_per_second * days * 24 * 60 * 60


def read_steps(
    work: Work,
    steps_per_second: float,
    *,
    workers: int,
    worker_batch: int,
    peak_flops: float,
    passes: float = 3,
) -> tuple[Reading, Reading]:
    """Returns both readings: a step is one update of the weights, or one worker's gradient.

    Args:
        work: what was trained.
        steps_per_second: as printed.
        workers: that were synchronous.
        worker_batch: images of one worker at a step.
        peak_flops: of the device of one.
        passes: forward and backward passes, each of the net's multiply-adds.
    """
    return tuple(
        _reading(name, rate, work, workers, worker_batch, peak_flops, passes)
        for name, rate in ((UPDATES, steps_per_second), (SUMMED, steps_per_second / workers))
    )


def _reading(
    name: str,
    rate: float,
    work: Work,
    workers: int,
    worker_batch: int,
    peak_flops: float,
    passes: float,
) -> Reading:
    of_one = rate * worker_batch
    flops = of_one * 2 * passes * work.macs
    return Reading(name, rate, workers * of_one, of_one, flops, flops / peak_flops)
