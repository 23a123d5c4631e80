"""Images that a run finds to be bad on its way: recorded, left out, and known when it goes on."""

import dataclasses
from collections.abc import Sequence

from keras_convnets.data import Fault, ImageSet
from keras_convnets.data.splits import WHILE_EVALUATING, WHILE_TRAINING
from keras_convnets.errors import InputError, UnreadableError
from keras_convnets.training.run import Run


def leave_out(run: Run, images: ImageSet, name: str, faults: Sequence[Fault]) -> ImageSet:
    """Writes faults into a run's skipped.json, and returns its images without them.

    In training the next good image takes the row of a bad one, so that nothing else changes its
    place; other splits get shorter.

    Args:
        run: the run.
        images: its data so far.
        name: of the split that the faults are in.
        faults: images that can't be read.

    Raises:
        UnreadableError: if too many can't be read by now, or no others are left; nothing was
            written. Test images are under no limit, for the net is trained when they are read.
    """
    found = WHILE_TRAINING if name == "train" else WHILE_EVALUATING
    faults = [dataclasses.replace(fault, found=found) for fault in faults]
    try:
        images = without(images, faults)
        images.check_classes()
    except InputError as error:
        raise UnreadableError(f"{faults[0].reason} Without it: {error}") from error
    limit, count = run.settings.max_skipped, len(images.skipped)
    if name != "test" and count / images.total > limit:
        raise UnreadableError(
            f"{faults[0].reason} With it {count:,} of the {images.total:,} images of "
            f"{images.name!r} can't be read, which is {count / images.total:.1%}; at most "
            f"{limit:.1%} may be skipped (`--max-skipped`)."
        )
    run.write_skipped(images.skipped)
    return images


def without(images: ImageSet, faults: Sequence[Fault], others: Sequence[Fault] = ()) -> ImageSet:
    """Returns images without those that a run found to be bad on its way.

    Args:
        images: the data.
        faults: what was found while training or evaluating.
        others: what can't be read either, as was known before.

    Raises:
        InputError: if a split has no others.
    """
    by_time = {
        time: [fault for fault in faults if fault.found == time]
        for time in (WHILE_TRAINING, WHILE_EVALUATING)
    }
    splits = {
        name: images.train.substituting(by_time[WHILE_TRAINING], (*faults, *others))
        if name == "train"
        else split.without(by_time[WHILE_EVALUATING])
        for name, split in images.splits.items()
    }
    return dataclasses.replace(images, **splits, skipped=(*images.skipped, *faults))


def told(run: Run, faults: Sequence[Fault]) -> str:
    """Returns the line that says what was left out."""
    more = f" So it is with {len(faults) - 1:,} more." if len(faults) > 1 else ""
    return f"{faults[0].reason}{more} Left out from here on: {run.path}/skipped.json"
