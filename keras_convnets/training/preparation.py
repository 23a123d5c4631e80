"""What comes before the first step of a run: checks, images, the net, and its optimizers."""

import dataclasses
import os

import keras

from keras_convnets import data as sources
from keras_convnets.data import ImageSet, Split, count_steps
from keras_convnets.distribution.strategies import HERE, Place
from keras_convnets.errors import InputError, check_number
from keras_convnets.progress import counting
from keras_convnets.training.accumulation import accumulating
from keras_convnets.training.model import build_training_model, preprocessing_of
from keras_convnets.training.multi_label import fit_head_to_labels, start_from_frequencies
from keras_convnets.training.phases import Phases, check_frozen
from keras_convnets.training.recipe import GIVEN, Recipe
from keras_convnets.training.reproducibility import set_reproducible
from keras_convnets.training.run import Settings
from keras_convnets.training.sourced import choice
from keras_convnets.training.start import settle

VALIDATION_SHARE = 0.1
MOST_STEPS_BETWEEN_CHECKPOINTS = 500


def check_trainable(recipe: Recipe, accumulate: int) -> None:
    """Refuses what this version can't train."""
    check_number("The micro-batches of an update", accumulate, least=1, whole=True)
    if recipe.batch_size.value % accumulate:
        raise InputError(
            f"The batch of {recipe.batch_size.value} images can't be cut into {accumulate} equal "
            f"micro-batches; choose a divisor of it. Received: accumulate={accumulate}"
        )
    if accumulate > 1 and recipe.parallelism.value == "async":
        raise InputError(
            f"The recipe {recipe.name!r} is asynchronous, where the batch of each worker is an "
            f"update, so nothing can be accumulated. Received: accumulate={accumulate}"
        )
    if keras.config.image_data_format() != "channels_last":
        raise InputError("Training wants Keras' image data format to be 'channels_last'.")


def check_place(place: Place, recipe: Recipe, accumulate: int, mixed_precision: str | None) -> None:
    """Refuses what a place can't do.

    Args:
        place: where a run shall take place.
        recipe: of the run.
        accumulate: micro-batches of an update.
        mixed_precision: see `training.train`.
    """
    parts = place.replicas * accumulate
    if recipe.batch_size.value % parts:
        of_each = f", in {accumulate} micro-batches each" if accumulate > 1 else ""
        raise InputError(
            f"The batch of {recipe.batch_size.value} images can't be divided equally among "
            f"{place.replicas} replicas{of_each}; choose a multiple of {parts} (`--batch-size`)."
        )
    if place.strategy is not None and accumulate > 1 and _synchronizes(recipe):
        raise InputError(
            "Replicas can't synchronize batch normalization within micro-batches; leave one of the "
            "two out (`--set \"batch_norm={'synchronized': False}\"`). "
            f"Received: accumulate={accumulate}, batch_norm={recipe.batch_norm.value!r}"
        )
    if place.name == "tpu" and mixed_precision == "float16":
        raise InputError(
            "A TPU computes in bfloat16, not in float16. Received: mixed_precision='float16'"
        )


def _synchronizes(recipe: Recipe) -> bool:
    return (recipe.batch_norm.value or {}).get("synchronized", False)


def load_data(recipe: Recipe, data: str | None, seed: int) -> tuple[Recipe, ImageSet]:
    """Finds the data of a run, and fits the recipe to it.

    Args:
        recipe: the recipe.
        data: see `training.train`.
        seed: of the hold-out.

    Raises:
        InputError: if there is no such data, or it has other classes than the recipe.
    """
    if data is not None:
        recipe = recipe.replace(data=choice(data, GIVEN))
    absolute = absolute_spec(recipe.data.value)
    recipe = recipe.replace(data=dataclasses.replace(recipe.data, value=absolute))
    images = sources.load(absolute).hold_out(VALIDATION_SHARE, seed)
    recipe = fit_head_to_labels(settle(recipe), images)
    classes = recipe.classes
    if classes.value is None or (recipe.data.source == GIVEN and classes.source != GIVEN):
        recipe = recipe.replace(classes=choice(len(images.classes), "the classes of the data"))
    if recipe.classes.value != len(images.classes):
        raise InputError(
            f"The recipe's model has {recipe.classes.value} classes, and the data {images.name!r} "
            f"has {len(images.classes)}; they should be equal (`--set classes=...`)."
        )
    return recipe, images


def absolute_spec(data: str) -> str:
    """Makes the folder in a data spec absolute, so that the run can be resumed from anywhere."""
    kind, _, rest = data.partition(":")
    if not rest or kind == "tfds":  # which has names, not paths
        return data
    return f"{kind}:{os.path.abspath(os.path.expanduser(rest))}"


def make_model(
    recipe: Recipe, images: ImageSet, settings: Settings, place: Place = HERE
) -> keras.Model:
    """Builds the net with random weights, and makes sure that it has what the recipe freezes."""
    # XLA refuses the gradient of max pooling where the switch is set (TensorFlow 2.21).
    set_reproducible(settings.seed, deterministic_kernels=place.name != "tpu")
    with place.scope():
        return _make_model(recipe, images, settings)


def _make_model(recipe: Recipe, images: ImageSet, settings: Settings) -> keras.Model:
    arguments = (recipe, images.channels, settings.preprocessing.mode)
    model = build_training_model(*arguments)
    check_frozen(model, recipe)
    if settings.initial_seed is not None:
        keras.utils.set_random_seed(settings.initial_seed)
        model.set_weights(build_training_model(*arguments).get_weights())
        keras.utils.set_random_seed(settings.seed)
    if images.is_multi_label:
        start_from_frequencies(model, images.train)
    return accumulating(model, settings.accumulate)


def make_phases(
    recipe: Recipe,
    split: Split,
    model: keras.Model,
    settings: Settings,
    place: Place = HERE,
) -> Phases:
    """Makes the optimizers of a run, and compiles its net.

    Args:
        recipe: the recipe of the run.
        split: its training images.
        model: its net.
        settings: of the run.
        place: where it takes place.
    """
    steps = count_steps(split, recipe.batch_size.value)
    with place.scope():
        return Phases(model, recipe, settings.head, split.labels, steps)


def decode(recipe: Recipe, images: ImageSet, settings: Settings, quiet: bool) -> ImageSet:
    """Decodes image files before work starts: the faulty are found, and epochs are faster.

    Test images are left alone: they are read at the end.
    """
    splits = {name: split for name, split in images.splits.items() if name != "test"}
    total = sum(split.encoded_count for split in splits.values())
    decoded, skipped = {}, list(images.skipped)
    with counting("reading images", total, quiet) as advance:
        for name, split in splits.items():
            augmentation = recipe.augmentation.value if name == "train" else ()
            decoded[name], faults = sources.decode_once(
                split, settings.preprocessing, augmentation, advance
            )
            skipped += faults
    images = dataclasses.replace(images, **decoded, skipped=tuple(skipped))
    images.check_classes()
    return images


def make_settings(
    recipe: Recipe,
    images: ImageSet,
    seed: int,
    mixed_precision: str | None,
    checkpoint_every: int | None,
) -> Settings:
    """Returns the settings of a new run, with the defaults of what was not given."""
    steps = count_steps(images.train, recipe.batch_size.value)
    if checkpoint_every is None:
        checkpoint_every = min(steps, MOST_STEPS_BETWEEN_CHECKPOINTS)
    return Settings(
        seed=seed,
        mixed_precision=mixed_precision,
        checkpoint_every=checkpoint_every,
        preprocessing=preprocessing_of(recipe, images.channels),
        classes=images.classes,
        training_images=len(images.train),
        fingerprint=images.fingerprint(),
    )
