"""Every recipe trains for a moment on real images, by its own optimizer, schedule and so on."""

import numpy as np
import pytest

from keras_convnets import data, recipes
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.training import (
    Epochs,
    Exponential,
    MovingAverage,
    Piecewise,
    Samples,
    Steps,
    choice,
    smoke,
    train,
)
from keras_convnets.training.model import build_training_model

ALL = recipes.names(with_options=True)

# What is tried by the test of another recipe, which then is the same.
SAME = {"resnext_imagenet5k": "resnext_imagenet"}

# The first option of each recipe, and those that go another way through the code.
TRAINED = [name for name in recipes.names() if name not in SAME]
TRAINED += ["inception_v2_imagenet:x30", "resnet_cifar10:110", "vgg_imagenet:D-jitter"]


@pytest.mark.parametrize("name", TRAINED)
def test_the_loss_falls(name, tmp_path):
    run = train(smoke(recipes.get(name)), out=tmp_path / "run", quiet=True)
    losses = [row["loss"] for row in run.history]
    assert len(losses) == 6
    assert np.mean(losses[-2:]) < losses[0]
    assert run.evaluation["split"] == "test"


@pytest.mark.parametrize(("name", "other"), SAME.items())
def test_what_is_not_trained_is_the_same_as_another(name, other):
    mine, theirs = smoke(recipes.get(name)).rows(), smoke(recipes.get(other)).rows()
    assert [row[:2] for row in mine] == [row[:2] for row in theirs]


@pytest.mark.parametrize("name", ALL)
def test_every_option_has_a_small_net(name):
    small = smoke(recipes.get(name))
    assert small.input_size.value <= 107

    def parameters():
        return build_training_model(small, 3, "raw").count_params()

    assert weightless(parameters) < 4_000_000
    assert small.parallelism.value == "sync"


def test_what_makes_a_recipe_stays():
    whole = recipes.get("inception_v3_imagenet")
    small = smoke(whole)
    for field in (
        "optimizer",
        "l2",
        "label_smoothing",
        "aux_weight",
        "clip_norm",
        "ema",
        "initializer",
        "augmentation",
        "evaluation",
    ):
        assert getattr(small, field) == getattr(whole, field)
    assert small.ema.value == MovingAverage(0.9999, ramp=True)
    assert small.batch_norm.value == {"momentum": 0.9, "epsilon": 0.001}
    assert small.name == "inception_v3_imagenet-smoke"


def test_the_schedule_is_as_short_as_the_run():
    small = smoke(recipes.get("inception_v3_imagenet"))  # 100 epochs become 24 steps
    assert small.length.value == Epochs(6)
    assert small.schedule.value == Exponential(0.045, rate=0.94, every=Steps(1))
    small = smoke(recipes.get("resnet_cifar10"))  # 64,000 steps
    assert small.schedule.value == Piecewise((0.1, 0.01, 0.001), (Steps(12), Steps(6)))
    small = smoke(recipes.get("xception_jft"))  # 3 of 960 million images
    assert small.schedule.value.every == Steps(1)


def test_an_asynchronous_recipe_says_that_it_is_not():
    parallelism = smoke(recipes.get("googlenet_imagenet")).parallelism
    assert (parallelism.value, parallelism.source) == ("sync", "smoke: one process")


def test_lengths_that_cannot_be_compared_are_refused():
    recipe = recipes.get("resnet_cifar10").replace(length=choice(Epochs(160), "for a test"))
    with pytest.raises(InputError, match="lengths that can be compared"):
        smoke(recipe)
    samples = recipe.replace(
        schedule=choice(Exponential(0.1, 0.5, Samples(64_000)), "for a test"),
        length=choice(Steps(1_000), "for a test"),
    )
    assert smoke(samples).schedule.value.every == Steps(12)  # half of the run


@pytest.mark.parametrize(
    ("name", "channels", "classes"),
    [("smoke_grey", 1, 10), ("smoke_rgb", 3, 4), ("smoke_labels", 3, 7)],
)
def test_the_images_are_embedded_ones(name, channels, classes):
    images = data.load(name)
    whole = data.load("fashion_mnist_6k")
    known = {image.tobytes() for image in (*whole.train.images, *whole.test.images)}
    assert (images.channels, len(images.classes)) == (channels, classes)
    assert [len(split) for split in images.splits.values()] == [64, 32, 32]
    seen = [image[..., :1].tobytes() for split in images.splits.values() for image in split.images]
    assert known.issuperset(seen)
    assert len(set(seen)) == 128  # none is in two splits
    named = [images.classes[i] for i in np.atleast_1d(images.train.labels[0])]
    original = next(i for i, image in enumerate(whole.train.images) if image.tobytes() == seen[0])
    assert named[0] == whole.classes[whole.train.labels[original]]
