"""What became of each layer when weights were loaded."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """What became of each layer when weights were loaded.

    Attributes:
        source: the file or the entry of the catalog.
        matched: layers that have their weights from it.
        left: layers that it has no weights for, and which keep those they had.
        reinitialized: layers whose weights in it have another shape, and which keep their random
            ones: the head for another number of classes.
        adapted: layers whose weights were changed to fit: the first kernel for other channels.
        unused: what the source has beyond the net, such as auxiliary heads.
    """

    source: str
    matched: tuple[str, ...]
    left: tuple[str, ...] = ()
    reinitialized: tuple[str, ...] = ()
    adapted: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = {
            "kept as they were": self.left,
            "start anew": self.reinitialized,
            "adapted": self.adapted,
            "unused": self.unused,
        }
        told = [f"{what}: {some(names)}" for what, names in parts.items() if names]
        return "; ".join([f"{self.source}: {len(self.matched)} layers loaded", *told])


def some(names, limit: int = 3) -> str:
    """The first names as a phrase, and how many more there are."""
    names = sorted(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more if names else "none"
