"""Nets by their budget: table 2 of ResNeXt, options of each kind, and what can't be had."""

import keras
import pytest
from keras import layers

import keras_convnets
from keras_convnets import count_complexity
from keras_convnets.analysis import cost_by_stage, solve
from keras_convnets.analysis.budget import free_options
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.resnext import template_block

# Cardinality and bottleneck width; papers.md 12a, table 2.
TEMPLATES = [(1, 64), (2, 40), (4, 24), (8, 14), (32, 4)]
# Of about twice the cost; papers.md 12a.
WIDER_TEMPLATES = [(1, 100), (2, 64), (64, 4), (32, 8)]
TINY = {"small_input": True, "input_shape": (16, 16, 3), "width_multiplier": 0.1}


def stack(width=1.0, depth=(1, 2), groups: int | None = None, order="first", rate=0.0, size=4):
    """Convolutions of 24 and 200 filters, times a width, in multiples of 8."""
    x = image = keras.Input((size, size, 8))
    for count, filters in zip(depth, (24, 200), strict=True):
        for _ in range(count):
            x = layers.Conv2D(wide(filters, width), 1, groups=groups or 1, use_bias=False)(x)
    return keras.Model(image, x)


def wide(filters, width):
    return max(8, round(filters * width / 8) * 8)


def stack_params(width):
    first, second = wide(24, width), wide(200, width)
    return 8 * first + first * second + second * second


@pytest.mark.parametrize(("cardinality", "width"), TEMPLATES)
@pytest.mark.parametrize("budget", [{"params": 69_632}, {"macs": 69_632 * 56 * 56}], ids=str)
def test_table_2_of_resnext(cardinality, width, budget):
    solution = solve(template_block, **budget, free="bottleneck_width", cardinality=cardinality)
    assert solution.value == width


@pytest.mark.parametrize(("cardinality", "width"), TEMPLATES + WIDER_TEMPLATES)
def test_units_of_all_stages_cost_the_same(cardinality, width):
    """The ResNeXt paper's second rule: the width doubles where the map is halved (section 3.1)."""
    cost = weightless(
        lambda: count_complexity(
            keras_convnets.ResNeXt50(
                weights=None, cardinality=cardinality, bottleneck_width=width, repeats=(2, 2, 2, 2)
            )
        )
    )
    macs = {
        sum(row.macs for row in cost.layers if row.name.startswith(f"{stage}_block2_"))
        for stage in ("conv2", "conv3", "conv4", "conv5")
    }
    assert macs == {56 * 56 * cardinality * (512 * width + 9 * width * width)}


def test_the_templates_are_arms_of_equal_cost():
    params = [template_block(*template).count_params() for template in TEMPLATES]
    assert max(params) < 1.05 * min(params)


def test_a_resnext_50_of_300_million_multiply_adds():
    solution = solve("ResNeXt50", macs=300e6, free="width_multiplier")
    assert abs(solution.error) < 0.05
    assert solution.options == {"width_multiplier": solution.value, "weights": None}


def test_the_vgg_with_the_parameters_of_xception():
    """What Chollet 2017, section 4.7, compares."""
    solution = solve("VGG16:separable", params=22_855_952, free="width_multiplier")
    assert abs(solution.error) < 0.005
    assert solution.options["separable"] is True


@pytest.mark.parametrize("params", [1_000, 20_000, 54_321, 200_000])
def test_a_width_gives_the_nearest_net_in_the_fewest_digits(params):
    value = solve(stack, params=params, free="width").value
    nearest = min(abs(stack_params(i / 10_000) - params) for i in range(1, 30_000))
    assert abs(stack_params(value) - params) == nearest
    digits = len(str(value).partition(".")[2])
    shorter = [i / 10 ** (digits - 1) for i in range(1, 3 * 10 ** (digits - 1))]
    assert stack_params(value) not in map(stack_params, shorter) or value == int(value)


def test_a_whole_number_may_stand_for_a_width():
    assert solve(stack, params=20_000, free="width", width=1).value == pytest.approx(0.61, abs=0.1)


@pytest.mark.parametrize("depth", [(1, 3), (2, 3), (2, 4), (5, 10)])
def test_tuples_keep_their_proportions(depth):
    params = stack(depth=depth).count_params()
    assert solve(stack, params=params, free="depth").value == depth


def test_tuples_have_no_number_below_1():
    params = stack(depth=(1, 2)).count_params()
    assert solve(stack, params=params, free="depth", depth=(1, 12)).value == (1, 2)


def test_the_search_starts_where_it_is_told_to():
    """In proportion to (3, 1), not to the default."""
    params = stack(depth=(6, 2)).count_params()
    solution = solve(stack, params=params, free="depth", depth=(3, 1))
    assert solution.value == (6, 2)


@pytest.mark.parametrize(("params", "depth"), [(0.46e6, 32), (0.85e6, 56)])
def test_values_that_the_builder_refuses_are_passed_over(params, depth):
    """Depths are 6n + 2; sizes as printed in 1512.03385, table 6."""
    assert solve("ResNetCIFAR", params=params, free="depth").value == depth


def test_a_cost_may_fall_with_the_option():
    params = stack().count_params()
    solution = solve(stack, params=params / 3.2, free="groups")
    assert solution.value == 4  # 3 does not divide 8
    assert solution.tried == {1: params, 2: params // 2, 4: params // 4}


def test_the_budget_counts_trainable_parameters():
    options = {**TINY, "middle_repeats": 1}
    cost = count_complexity(keras_convnets.Xception(weights=None, **options))
    assert cost.trainable < cost.total
    assert solve("Xception", params=cost.trainable, free="middle_repeats", **TINY).error == 0


def test_the_options_build_the_net():
    solution = solve("Xception", macs=1e6, free="width_multiplier", **TINY, middle_repeats=1)
    assert list(solution.options) == [
        "width_multiplier",
        "small_input",
        "middle_repeats",
        "input_shape",
        "weights",
    ]
    model = keras_convnets.get_model("Xception", **solution.options)
    assert count_complexity(model) == solution.cost
    assert cost_by_stage(model) == solution.stages


def test_a_model_whose_size_is_free_is_counted_at_the_size_given():
    solution = solve(
        stack, macs=10 * 20 * stack_params(0.5), free="width", size=None, input_shape=(10, 20, 8)
    )
    assert stack_params(solution.value) == stack_params(0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "One budget should be given, `params` or `macs`"),
        ({"params": 1e6, "macs": 1e6}, "One budget should be given, `params` or `macs`"),
        ({"params": 0}, "`params` should be a number of at least 1. Received: 0"),
        ({"macs": -3.0}, "`macs` should be a number of at least 1. Received: -3.0"),
        ({"macs": float("nan")}, "`macs` should be a number of at least 1. Received: nan"),
        ({"params": 1e6, "free": "widht"}, "has no option 'widht'.* the nearest are width."),
        ({"params": 1e6, "wdith": 2}, "has no option 'wdith'; the nearest are width"),
        ({"params": 1e6, "free": "order"}, "'order' of stack can't be free.* are width, depth"),
        ({"params": 1e6, "free": "rate"}, "'rate' of stack can't be free"),
        ({"params": 1e6, "width": 0.0}, "'width' of stack can't be free"),
        ({"params": 1e6, "depth": (1, 0), "free": "depth"}, "'depth' of stack can't be free"),
        ({"params": 1e6, "free": "size"}, "but 4 was found that changes the number of trainable"),
        ({"params": 100}, "to 100 trainable parameters; the least is 192, with width=0.0"),
        ({"params": 1e5, "free": "groups"}, "the most is 44,992, with groups=1"),
        ({"macs": 1e4, "free": "groups"}, "the least is 89,984, with groups=8"),
    ],
)
def test_what_cannot_be_had_is_said(arguments, message):
    with pytest.raises(InputError, match=message) as error:
        solve(stack, **{"free": "width", **arguments})
    assert "\n" not in str(error.value)


def test_what_the_builder_refuses_at_the_start_is_its_own_error():
    with pytest.raises(InputError, match="`middle_repeats` should be an integer of at least 0"):
        solve("Xception", params=1e6, free="width_multiplier", middle_repeats=-1)
    with pytest.raises(InputError, match="nearest names are Xception"):
        solve("Xeption", params=1e6, free="width_multiplier")


def test_depth_has_an_end(monkeypatch):
    monkeypatch.setattr("keras_convnets.analysis.budget._MOST_LAYERS", 20)
    with pytest.raises(InputError, match="has 25 layers and only .* deeper nets are not tried"):
        solve(stack, params=1e9, free="depth")


def test_options_that_can_be_free():
    assert free_options(stack) == ("width", "depth", "groups", "size")
    assert free_options("Xception") == ("segments", "middle_repeats", "width_multiplier")
    assert free_options("LeNet5") == ()
    with pytest.raises(InputError, match="LeNet5 has no option that a budget could determine"):
        solve("LeNet5", params=1e4, free="width_multiplier")


def test_it_shows_itself():
    solution = solve(template_block, params=69_632, free="bottleneck_width", cardinality=8)
    text = (
        "template_block with bottleneck_width=14: 71,456 trainable parameters, +2.62% from 69,632"
    )
    assert str(solution) == text
    assert text in solution._repr_html_()
    assert "<td>stride 1</td><td>71,456</td><td>224,086,016</td>" in solution._repr_html_()
    assert len(repr(solution)) < 500  # without the cost of each layer


def test_an_option_may_be_nothing_where_the_builder_takes_that():
    """The ladder of values starts at 1; below it some options may be 0."""
    without = solve("Xception", macs=3_708_855_592, free="middle_repeats")
    assert (without.value, without.error) == (0, 0)
    between = solve("Xception", macs=4_200_000_000, free="middle_repeats")
    assert between.value == 1
    with pytest.raises(InputError, match="the least is 3,708,855,592, with middle_repeats=0"):
        solve("Xception", macs=3_000_000_000, free="middle_repeats")
