"""What a plan takes for granted: each value with its source, and open to change."""

import dataclasses
import math
from collections.abc import Iterable, Sequence

from keras_convnets.distribution.planning.devices import Device
from keras_convnets.distribution.planning.placement import IN_TURN, PLACEMENTS
from keras_convnets.errors import InputError, nearest

GIVEN = "given by the user"

# The first loop of this kind took 7 ms a step with one step a closure, and 2.4 ms with 20, on two
# CPU cores with a tiny net: a + b = 7 ms and a + b / 20 = 2.4 ms give what each step and each
# closure costs.
_PER_CLOSURE = (7e-3 - 2.4e-3) / (1 - 1 / 20)
_PER_STEP = 7e-3 - _PER_CLOSURE
_OVERHEADS = "measured on two CPU cores: 7 ms a step alone, 2.4 ms at 20 steps a closure"


@dataclasses.dataclass(frozen=True)
class Assumption:
    """A value that a plan rests on.

    Attributes:
        name: what users type.
        value: a number, or the name of a choice.
        unit: of the number.
        source: where it comes from.
        least: the least value that is allowed.
        most: the greatest one.
        is_whole: whether it must be an integer.
        choices: the allowed values, if it is no number.
    """

    name: str
    value: float | str | None
    unit: str
    source: str
    least: float = 0.0
    most: float = math.inf
    is_whole: bool = False
    choices: tuple[str, ...] = ()

    def given(self, text: str) -> "Assumption":
        """Returns it with a value that the user typed.

        Raises:
            InputError: if the value is not allowed.
        """
        if self.choices:
            value, is_good = text, text in self.choices
            wanted = f"one of {', '.join(self.choices)}"
        else:
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            is_good = self.least <= value <= self.most and math.isfinite(value)
            is_good = is_good and (not self.is_whole or value == int(value))
            wanted = f"{'an integer' if self.is_whole else 'a number'} of at least {self.least:g}"
            if self.most < math.inf:
                wanted += f" and at most {self.most:g}"
        if not is_good:
            raise InputError(
                f"The assumption {self.name} should be {wanted}. Received: {text[:80]!r}"
            )
        if self.is_whole:
            value = int(value)
        return dataclasses.replace(self, value=value, source=GIVEN)


class Assumptions:
    """Assumptions by their names.

    Args:
        items: the assumptions.
    """

    def __init__(self, items: Iterable[Assumption]):
        self._items = {item.name: item for item in items}

    def __iter__(self):
        return iter(self._items.values())

    def __getitem__(self, name: str):
        return self._items[name].value

    def changed(self, settings: Sequence[str]) -> "Assumptions":
        """Returns them with some changed.

        Args:
            settings: each as `name=value`.

        Raises:
            InputError: if one has no such form, name or value.
        """
        items = dict(self._items)
        for setting in settings:
            name, equals, text = (part.strip() for part in setting.partition("="))
            if not equals:
                raise InputError(f"--assume wants name=value. Received: {setting[:80]!r}")
            if name not in items:
                raise InputError(
                    f"There is no assumption {name!r}; the nearest are {nearest(name, items)}."
                )
            items[name] = items[name].given(text)
        return Assumptions(items.values())

    def replaced(self, name: str, value: float | str, source: str) -> "Assumptions":
        """Returns them with one value that comes from somewhere else."""
        items = self._items
        changed = dataclasses.replace(items[name], value=value, source=source)
        return Assumptions((items | {name: changed}).values())


_LEAST = 1e-9  # what is divided by


def assume(
    device: Device,
    network: float,
    network_source: str,
    *,
    worker_batch: int,
    worker_batch_source: str,
    servers: int,
    images: int | None,
    images_source: str,
) -> Assumptions:
    """Returns what a plan assumes unless it is told otherwise.

    Args:
        device: of each worker.
        network: bytes a second between any two machines, each way at once.
        network_source: where that comes from.
        worker_batch: images of one worker at a step.
        worker_batch_source: where that comes from.
        servers: number of parameter servers.
        images: training images of the data set, or `None`.
        images_source: where that comes from.
    """
    number = Assumption
    return Assumptions(
        (
            number("worker_batch", worker_batch, "images", worker_batch_source, 1, is_whole=True),
            number("training_images", images, "images", images_source, 1, is_whole=True),
            number("peak_flops", device.peak_flops, "FLOP/s", device.peak_source, 1),
            number("efficiency", device.efficiency, "", device.efficiency_source, _LEAST, 1),
            number("device_memory", device.memory, "bytes", device.memory_source, 1),
            number("passes", 3, "", "forward; gradients by inputs; gradients by weights", 1),
            number("bytes_per_number", 4, "bytes", "float32", 1, 8, is_whole=True),
            number("network", network, "bytes/s", network_source, 1),
            number("hop_seconds", 50e-6, "s", "a choice: one message in a data centre"),
            number("overlap", 0, "", "none: pull, compute and push follow each other", 0, 1),
            number(
                "ps_memory_speed",
                10e9,
                "bytes/s",
                "a choice; two busy CPU cores update at 1.0 to 1.7 GB/s",
                1,
            ),
            number("step_overhead", _PER_STEP, "s", _OVERHEADS),
            number("closure_overhead", _PER_CLOSURE, "s", _OVERHEADS),
            number("steps_per_closure", 20, "steps", "this package's default", 1, is_whole=True),
            Assumption("placement", IN_TURN, "", "TensorFlow's", choices=PLACEMENTS),
            number("dense_parts", max(servers, 1), "", "as many as servers", 1, is_whole=True),
            number("shared_cores", 0, "cores", "0: every process has its own", is_whole=True),
        )
    )
