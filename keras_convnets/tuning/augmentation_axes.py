"""Axes of the random changes to training images."""

import dataclasses

from keras_convnets.data.augmentation import (
    Augmentation,
    ColorJitter,
    CutMix,
    HowardDistortion,
    InceptionCrop,
    MixUp,
    PadCrop,
    PCALighting,
    RandAugment,
    ShorterSideCrop,
)
from keras_convnets.errors import check_number
from keras_convnets.training.recipe import Recipe
from keras_convnets.tuning.axes import Axis, tuned
from keras_convnets.tuning.domains import Domain, Range


class Strength(Axis):
    """How strong the recipe's own random changes are: 1 as they stand, 0 for none."""

    name, about = "augmentation", "strength of the recipe's own augmentation, which is 1"

    def lack(self, recipe: Recipe) -> str | None:
        """Returns why a recipe has no such hyper-parameter, as a clause; `None` if it has it."""
        changes = recipe.augmentation.value
        if all(_scaled(change, 0.5) == change for change in changes):
            return "it has no augmentation whose strength is a number"
        return None

    def own(self, recipe: Recipe) -> float:
        """Returns the recipe's own value."""
        return 1.0

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return Range(0.0, 2.0)

    def change(self, recipe: Recipe, value: float) -> Recipe:
        """Returns the recipe with another value."""
        check_number("The strength of the augmentation", value, least=0)
        old = recipe.augmentation
        changes = tuple(_scaled(change, value) for change in old.value)
        changes = tuple(change for change in changes if change is not None)
        return recipe.replace(augmentation=tuned(old, changes, f"strength={value:g}"))


def _scaled(change: Augmentation, strength: float) -> Augmentation | None:
    """A change so many times as strong, as far as there is more of it; `None` for none at all."""

    def times(most: float | None = None, **numbers: float) -> Augmentation:
        scaled = {name: number * strength for name, number in numbers.items()}
        limited = {n: v if most is None else min(v, most) for n, v in scaled.items()}
        return dataclasses.replace(change, **limited)

    match change:
        case PadCrop():
            return dataclasses.replace(change, pixels=round(change.pixels * strength))
        case ColorJitter(b, c, s):
            return times(most=1, brightness=b, contrast=c, saturation=s)
        case PCALighting():
            return times(std=change.std)
        case HowardDistortion():
            lighting = change.lighting and _scaled(change.lighting, strength)
            return dataclasses.replace(
                change, factors=_powers(change.factors, strength), lighting=lighting
            )
        case InceptionCrop():  # and the kinds of it
            least, most = change.area
            area = (max(1 - (1 - least) * strength, min(least, 0.01)), most)
            area = (min(area[0], most), most)
            return dataclasses.replace(change, area=area, aspect=_powers(change.aspect, strength))
        case ShorterSideCrop():
            high = round(change.low * (change.high / change.low) ** strength)
            return dataclasses.replace(change, high=high)
        case MixUp(alpha):
            return times(alpha=alpha) if strength else None
        case CutMix(alpha):
            return times(most=1, alpha=alpha) if strength else None
        case RandAugment():
            return times(most=1, factor=change.factor) if strength else None
    return change


def _powers(factors: tuple[float, float], strength: float) -> tuple[float, float]:
    """Least and largest factor, whose logarithms are so many times as great."""
    return tuple(factor**strength for factor in factors)


class Mixing(Axis):
    """How much of an image is blended with another: the alpha of `MixUp`, or 0 for none."""

    name, about = "mixup", "alpha of MixUp; 0 for none"

    def own(self, recipe: Recipe) -> float:
        """Returns the recipe's own value."""
        return next(
            (float(c.alpha) for c in recipe.augmentation.value if isinstance(c, MixUp)), 0.0
        )

    def domain(self, recipe: Recipe) -> Domain:
        """Returns the values to try where the user names none."""
        return Range(0.0, 0.4)

    def change(self, recipe: Recipe, value: float) -> Recipe:
        """Returns the recipe with another value."""
        check_number("The alpha of MixUp", value, least=0)
        old = recipe.augmentation
        others = [change for change in old.value if not isinstance(change, MixUp)]
        changes = (*others, MixUp(value)) if value else tuple(others)
        return recipe.replace(augmentation=tuned(old, changes, f"mixup={value:g}"))
