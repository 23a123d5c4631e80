"""Spaces as users write them, as Keras Tuner has them, and as a trial meets them."""

import json

import keras_tuner
import pytest

from keras_convnets import recipes
from keras_convnets.errors import InputError
from keras_convnets.tuning import AXES, SPACES, InfeasibleError, parse_space

XCEPTION = recipes.get("xception_imagenet")
FASHION = recipes.get("xception_fashion_mnist")
LENET = recipes.get("lenet5_mnist")


def test_limits_are_read_as_ranges_and_choices():
    space = parse_space("rate, l2=1e-6..1e-3,width=0.5|0.75|1,depth=4..12", XCEPTION)
    assert space.describe() == {
        "rate": {"low": 0.0045, "high": 0.45, "scale": "log"},
        "l2": {"low": 1e-6, "high": 1e-3, "scale": "log"},
        "width": {"values": [0.5, 0.75, 1.0]},
        "depth": {"low": 4, "high": 12, "scale": "linear", "step": 1},
    }


def test_equal_spaces_are_described_alike_whatever_their_order():
    spaces = [parse_space(text, XCEPTION) for text in ("rate,l2=1e-6..1e-3", "l2=1E-6..0.001,rate")]
    first, second = (json.dumps(space.describe()) for space in spaces)
    assert first == second
    assert json.loads(first) == spaces[0].describe()
    assert first != json.dumps(parse_space("rate,l2=1e-6..1e-4", XCEPTION).describe())


def test_own_value_is_among_all_choices():
    """The search begins with it."""
    assert parse_space("width=0.5|0.25", FASHION).describe() == {
        "width": {"values": [0.125, 0.25, 0.5]}
    }
    assert parse_space("segments=1|4", XCEPTION).describe() == {
        "segments": {"values": ["channels", "1", "4"]}
    }


def test_zero_has_no_logarithm():
    """A recipe without weight decay begins with none, on a scale that has a place for it."""
    assert LENET.l2.value == 0
    for text in ("l2", "l2=1e-6..1e-3"):
        assert parse_space(text, LENET).describe()["l2"]["scale"] == "linear"


@pytest.mark.parametrize(("name", "text"), [(n, s) for n in recipes.names() for s in SPACES])
def test_named_spaces_have_what_the_recipe_has(name, text):
    recipe = recipes.get(name)
    lacking = {axis for axis in SPACES[text] if AXES[axis].lack(recipe)}
    present = [axis for axis in AXES if axis in SPACES[text] and axis not in lacking]
    if present == ["rate"]:
        with pytest.raises(InputError, match="has none of them; it can vary"):
            parse_space(text, recipe)
    else:
        assert list(parse_space(text, recipe).describe()) == present


def test_limits_of_ones_own_go_before_those_of_a_named_space():
    for text in ("default,l2=1e-6..1e-3", "l2=1e-6..1e-3,default"):
        space = parse_space(text, XCEPTION).describe()
        assert set(space) == set(SPACES["default"])
        assert space["l2"]["high"] == 1e-3


@pytest.mark.parametrize("name", recipes.names())
def test_defaults_are_the_recipe_itself_to_the_last_bit(name):
    """By way of Keras Tuner's own form, of JSON, and of what goes between its processes."""
    recipe = recipes.get(name)
    space = parse_space(",".join(a for a in AXES if AXES[a].lack(recipe) is None), recipe)
    hp = keras_tuner.HyperParameters()
    values = space.declare(hp, recipe)
    saved = keras_tuner.HyperParameters.from_config(json.loads(json.dumps(hp.get_config())))
    sent = keras_tuner.HyperParameters.from_proto(saved.to_proto())
    assert values == space.defaults(recipe) == saved.values == sent.values
    assert [type(sent.values[name]) for name in values] == [type(v) for v in values.values()]
    assert space.apply(recipe, sent.values) is recipe


def test_values_of_a_trial_are_declared_and_applied():
    hp = keras_tuner.HyperParameters()
    hp.values = {"rate": 0.1, "width": 0.5, "tuner/epochs": 3}
    space = parse_space("rate,width=0.5|1,l2", XCEPTION)
    values = space.declare(hp, XCEPTION)
    assert values == {"rate": 0.1, "l2": 1e-5, "width": 0.5}
    recipe = space.apply(XCEPTION, hp.values)
    assert recipe.schedule.value.initial == pytest.approx(0.1)
    assert recipe.model_options.value == {"width_multiplier": 0.5}
    assert recipe.schedule.source == "tuned: rate=0.1; before that section 4.2"
    assert recipe.l2 is XCEPTION.l2


def test_values_of_no_axis_are_refused():
    with pytest.raises(InputError, match="has the hyper-parameters rate. Received: 'width'"):
        parse_space("rate", XCEPTION).apply(XCEPTION, {"width": 0.5})


def test_a_combination_that_cannot_be_is_infeasible():
    """No path is thin enough for 4,096 of them at the cost of 32 x 4d."""
    recipe = recipes.get("resnext_imagenet")
    with pytest.raises(InfeasibleError, match="No value of `bottleneck_width`"):
        parse_space("cardinality=4096|32|8", recipe).apply(recipe, {"cardinality": 4096})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rat", r"the nearest names are .*rate.* Received: 'rat'"),
        ("defualt", "the nearest names are default"),
        ("", "Received: ''"),
        ("rate,rate", "has 'rate' twice"),
        ("l2=1e-3..1e-6", "has no number between its limits. Received: '1e-3..1e-6'"),
        ("l2=1e-4..1e-4", "has no number between its limits"),
        ("width=1", "is the recipe's own 1.0 alone"),
        ("width=0.5|x", "should be numbers: .* Received: 'x'"),
        ("width=0.5||1", "Received: ''"),
        ("width=..1", "Received: ''"),
        ("l2=nan..1", "Received: 'nan'"),
        ("depth=2.5..8", "should be whole numbers: .* Received: '2.5'"),
        ("segments=1..4", r"has no range, but choices, such as segments=1\|4\|16\|64\|channels"),
        ("segments=0|1", "should be a positive integer, or 'channels'"),
        ("activation=relu|gelu", "`intermediate_activation` should be one of"),
        ("width=0..1", "The width should be a number above 0"),
        ("rate=0..1", "The learning rate should be a number above 0"),
        ("dropout=0..1", r"a number in \[0, 1\). Received: 1.0"),
        ("depth=-1..4", "of at least 0. Received: -1"),
        ("cardinality", "can't vary 'cardinality', for Xception has no option 'cardinality'"),
        ("aux_weight", "Xception has no option 'aux_logits'; it can vary batch, rate"),
    ],
)
def test_what_is_wrong_with_a_space_is_told(text, message):
    with pytest.raises(InputError, match=message):
        parse_space(text, XCEPTION)
