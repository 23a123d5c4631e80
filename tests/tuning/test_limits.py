"""What nets cost, counted without weights, and what a search may spend."""

import resource

import pytest

from keras_convnets import recipes
from keras_convnets.errors import InputError
from keras_convnets.tuning import InfeasibleError, Limits, parse_space


def test_costs_are_the_published_ones():
    """Xception's parameters and multiply-adds for 1,000 classes (papers.md 15)."""
    cost = Limits().check(recipes.get("xception_imagenet"), 3, 1000)
    assert (cost.parameters, cost.macs) == (22_855_952, 8_357_403_496)


def test_parameters_are_those_of_the_net_as_it_is_trained():
    """With auxiliary heads, and for the channels and classes of the data."""
    recipe = recipes.get("googlenet_imagenet")
    without = recipe.set("aux_weight", "None").set("initializer", "None")
    heads = Limits().check(recipe, 3, 10).parameters - Limits().check(without, 3, 10).parameters
    # A 1x1 convolution to 128 of 512 and 528 channels, 1,024 units on 4 x 4 of them, ten classes.
    assert heads == 129 * 256 + (512 + 528 - 256) * 128 + 2 * (2049 * 1024 + 1025 * 10)


def test_memory_is_that_of_training(tiny_recipe):
    """Weights, gradients, momenta, and the outputs of all layers for a batch, of 4 bytes each."""
    cost = Limits().check(tiny_recipe, 1, 2)
    assert cost.parameters == 61_706 - 8 * 85  # papers.md 1, for two classes
    maps = 2 * 32 * 32 + 2 * 28 * 28 * 6 + 14 * 14 * 6 + 2 * 10 * 10 * 16 + 5 * 5 * 16
    outputs = maps + 3 * 120 + 84 + 2
    assert cost.memory == 4 * (3 * cost.parameters + outputs * tiny_recipe.batch_size.value)


def test_averages_and_batches_take_memory(tiny_recipe):
    plain = Limits().check(tiny_recipe, 1, 2)
    averaged = Limits().check(tiny_recipe.set("ema", "0.9"), 1, 2)
    assert averaged.memory - plain.memory == 4 * plain.parameters
    twice = Limits().check(tiny_recipe.scaled(batch_size=8), 1, 2).memory - plain.memory
    four = Limits().check(tiny_recipe.scaled(batch_size=16), 1, 2).memory - plain.memory
    assert four == 3 * twice > 0


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            {"parameters": 22_855_951},
            "22,855,952 trainable parameters, where the limit is 22,855,951",
        ),
        ({"macs": 8 * 10**9}, "8,357,403,496 multiply-adds an image, where the limit is 8,0"),
        ({"memory": 10**9}, "bytes of memory in training, where the limit is 1,000,000,000"),
        (
            {"parameters": 1, "macs": 2},
            "limit is 1; and 8,357,403,496 multiply-adds an image, where",
        ),
    ],
)
def test_what_is_over_a_limit_is_told(limits, message):
    with pytest.raises(InfeasibleError, match=message):
        Limits(**limits).check(recipes.get("xception_imagenet"), 3, 1000)


def test_a_net_at_its_limits_is_within_them():
    recipe = recipes.get("xception_imagenet")
    cost = Limits().check(recipe, 3, 1000)
    assert Limits(cost.parameters, cost.macs, cost.memory).check(recipe, 3, 1000) == cost


def test_nets_that_cannot_be_built_are_infeasible():
    """GoogLeNet's auxiliary heads stand behind modules that a shallow one lacks."""
    recipe = recipes.get("googlenet_imagenet")
    shallow = parse_space("depth", recipe).apply(recipe, {"depth": 4})
    with pytest.raises(InfeasibleError, match="can't be built: `aux_logits=True` needs at least"):
        Limits().check(shallow, 3, 1000)


@pytest.mark.parametrize("limits", [{"parameters": 0}, {"macs": "1e9"}, {"memory": float("nan")}])
def test_limits_are_positive_numbers(limits):
    with pytest.raises(InputError, match="The limit of .* should be a number above 0. Received"):
        Limits(**limits)


def test_counting_takes_no_memory_of_the_weights():
    """A net with 30 times the weights of Xception is counted like any other."""
    recipe = recipes.get("xception_imagenet")
    wide = parse_space("width=1..8", recipe).apply(recipe, {"width": 6.0})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert Limits().check(wide, 3, 1000).parameters > 700_000_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # kB
