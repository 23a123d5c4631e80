"""Each hyper-parameter is, and changes, what it says in the recipe and in the net."""

import json
import math

import pytest

from keras_convnets import recipes
from keras_convnets.analysis import count_complexity
from keras_convnets.analysis.weightless import weightless
from keras_convnets.data import (
    ColorJitter,
    FlipLeftRight,
    HowardDistortion,
    InceptionCrop,
    MixUp,
    PadCrop,
    PCALighting,
)
from keras_convnets.errors import InputError
from keras_convnets.layers import ResidualScale
from keras_convnets.training import (
    Constant,
    Cosine,
    Epochs,
    Exponential,
    Piecewise,
    Plateau,
    Polynomial,
    Recipe,
    Warmup,
    choice,
)
from keras_convnets.training.model import build_training_model
from keras_convnets.tuning import AXES, parse_space
from keras_convnets.tuning.net_axes import shared_out

XCEPTION, RESNEXT = "xception_imagenet", "resnext_imagenet"
GOOGLENET, INCEPTION_RESNET = "googlenet_imagenet", "inception_resnet_v2_imagenet"


def tune(name, **values):
    recipe = recipes.get(name) if isinstance(name, str) else name
    return parse_space(",".join(values), recipe).apply(recipe, values)


def count(recipe, count_of=lambda model: count_complexity(model).macs):
    return weightless(lambda: count_of(build_training_model(recipe, 3, "tf")))


def with_schedule(schedule):
    return recipes.get(XCEPTION).replace(schedule=choice(schedule, "test"))


@pytest.mark.parametrize("name", recipes.names())
def test_own_values_change_no_recipe(name):
    """Each value and each source stays, whatever the axis."""
    recipe = recipes.get(name)
    for axis in AXES.values():
        if axis.lack(recipe) is None:
            assert axis.apply(recipe, axis.own(recipe)) is recipe


@pytest.mark.parametrize("name", recipes.names())
def test_values_between_the_limits_can_be_saved_with_the_recipe(name):
    recipe = recipes.get(name)
    for axis in AXES.values():
        if axis.lack(recipe) is None and axis.name != "cardinality":
            for value in axis.domain(recipe).ends():
                changed = axis.apply(recipe, value)
                assert Recipe.from_json(json.loads(json.dumps(changed.to_json()))) == changed
                if axis.name != "augmentation":  # which is 1 as it stands
                    assert axis.own(changed) == (
                        value if isinstance(value, str) else pytest.approx(value)
                    )


@pytest.mark.parametrize(
    ("axis", "field", "value", "own"),
    [
        ("l2", "l2", 1e-4, 1e-5),
        ("dropout", "dropout_rate", 0.3, 0.5),
        ("smoothing", "label_smoothing", 0.1, 0.0),
    ],
)
def test_fields_get_the_value_and_say_where_it_is_from(axis, field, value, own):
    recipe = recipes.get(XCEPTION)
    assert AXES[axis].own(recipe) == own  # papers.md 9
    changed = getattr(tune(recipe, **{axis: value}), field)
    assert (changed.value, changed.kind) == (value, "choice")
    assert changed.source.startswith(f"tuned: {field}={value:g}; ")
    assert changed.source.endswith(getattr(recipe, field).source)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(0.2), Constant(0.1)),
        (Exponential(0.2, 0.9, Epochs(2)), Exponential(0.1, 0.9, Epochs(2))),
        (Piecewise((0.02, 0.2), (Epochs(1),)), Piecewise((0.01, 0.1), (Epochs(1),))),
        (Cosine(0.2, final=0.02), Cosine(0.1, final=0.01)),
        (Polynomial(0.2, 2), Polynomial(0.1, 2)),
        (Plateau(0.2), Plateau(0.1)),
        (Warmup(0.02, 0.8, Constant(0.2)), Warmup(0.01, 0.8, Constant(0.1))),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_rate_is_the_greatest_and_others_keep_their_ratios(schedule, expected):
    assert AXES["rate"].own(with_schedule(schedule)) == 0.2
    assert tune(with_schedule(schedule), rate=0.1).schedule.value == expected


@pytest.mark.parametrize(
    ("schedule", "own", "expected"),
    [
        (Exponential(1.0, 0.9, Epochs(2)), 0.9, Exponential(1.0, 0.5, Epochs(2))),
        (Polynomial(1.0, 2), 2, Polynomial(1.0, 0.5)),
        (Plateau(1.0), 0.1, Plateau(1.0, factor=0.5)),
        (Cosine(0.4), 0.0, Cosine(0.4, final=0.2)),
        (
            Warmup(0.1, 0.8, Exponential(1.0, 0.9, Epochs(2))),
            0.9,
            Warmup(0.1, 0.8, Exponential(1.0, 0.5, Epochs(2))),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_decay_is_the_number_by_which_the_rate_falls(schedule, own, expected):
    assert AXES["decay"].own(with_schedule(schedule)) == own
    assert tune(with_schedule(schedule), decay=0.5).schedule.value == expected


def test_decay_of_stretches_is_the_mean_fall():
    """Falls of 10 and 1,000 are of 100 on the average; of 10 they are 10 ** 0.5 and 10 ** 1.5."""
    recipe = with_schedule(Piecewise((1.0, 0.1, 0.0001), (Epochs(1),) * 2))
    assert AXES["decay"].own(recipe) == pytest.approx(0.01)
    rates = tune(recipe, decay=0.1).schedule.value.rates
    assert rates == pytest.approx((1.0, 10**-0.5, 0.01))


def test_a_constant_rate_has_no_decay():
    with pytest.raises(InputError, match="can't vary 'decay', for its learning rate does not fall"):
        parse_space("decay", with_schedule(Constant(0.1)))


def test_rate_goes_with_the_batch_unless_it_has_a_value():
    changed = tune(XCEPTION, batch=960)
    assert changed.batch_size.value == 960
    assert changed.schedule.value.initial == 0.045 / 2
    assert tune(XCEPTION, batch=960, rate=0.045).schedule.value.initial == 0.045


def test_strength_of_augmentation():
    """The area of GoogLeNet's crop is from 8 % on, its aspect from 3/4 to 4/3 (papers.md 14)."""

    def changed(strength, *changes):
        recipe = recipes.get(XCEPTION).replace(augmentation=choice(changes, "test"))
        return tune(recipe, augmentation=strength).augmentation.value

    flip = FlipLeftRight()
    assert changed(0.5, PadCrop(4), flip) == (PadCrop(2), flip)
    assert changed(2.0, ColorJitter(0.4, 0.2, 0.6)) == (ColorJitter(0.8, 0.4, 1.0),)
    assert changed(2.0, PCALighting(0.1)) == (PCALighting(0.2),)
    assert changed(0.0, InceptionCrop(), MixUp(0.2)) == (
        InceptionCrop(area=(1.0, 1.0), aspect=(1.0, 1.0)),
    )
    [crop] = changed(0.5, InceptionCrop())
    assert crop.area == (pytest.approx(0.54), 1.0)
    assert crop.aspect == pytest.approx(((3 / 4) ** 0.5, (4 / 3) ** 0.5))
    assert changed(0.5, MixUp(0.2)) == (MixUp(0.1),)
    [howard] = changed(2.0, HowardDistortion((0.5, 1.5)))
    assert howard.factors == (0.25, 2.25)
    assert howard.lighting.std == 0.2


def test_strength_wants_something_to_be_strong():
    with pytest.raises(InputError, match="no augmentation whose strength is a number"):
        parse_space("augmentation", recipes.get("xception_fashion_mnist"))


def test_mixup_comes_last_and_goes():
    recipe = recipes.get(XCEPTION)
    mixed = tune(recipe, mixup=0.3)
    assert mixed.augmentation.value == (*recipe.augmentation.value, MixUp(0.3))
    assert tune(mixed, mixup=0.0).augmentation.value == recipe.augmentation.value


def test_width_scales_the_filters():
    """The first module of Xception's entry flow has 128 filters (papers.md 9)."""

    for width, expected in ((0.5, 64), (1.5, 192)):
        tuned = tune(XCEPTION, width=width)
        assert (
            count(tuned, lambda model: model.get_layer("block2_sepconv1").output.shape[-1])
            == expected
        )


@pytest.mark.parametrize(
    ("name", "own", "value", "options"),
    [
        (XCEPTION, 8, 5, {"middle_repeats": 5}),
        ("resnet_cifar10:20", 20, 32, {"shortcut": "A", "depth": 32}),
        ("resnext_imagenet:50-32x4d", 16, 8, {"repeats": (2, 2, 3, 1)}),
        (INCEPTION_RESNET, 20, 40, {"repeats": (10, 20, 10)}),
        (GOOGLENET, 9, 13, {"repeats": (3, 7, 3)}),
    ],
)
def test_depth_is_the_number_that_the_builder_has(name, own, value, options):
    """Blocks by papers.md 5, 8, 9, 10 and 12."""
    recipe = recipes.get(name)
    assert AXES["depth"].own(recipe) == own
    changed = tune(recipe, depth=value).model_options.value
    assert {name: changed[name] for name in options} == options


def test_blocks_are_shared_out_in_proportion_and_all_of_them():
    for total in range(4, 60):
        shares = shared_out(total, (3, 4, 23, 3))
        assert sum(shares) == total
        assert min(shares) >= 1
    assert shared_out(66, (3, 4, 23, 3)) == (6, 8, 46, 6)
    assert shared_out(33, (3, 4, 23, 3)) == (3, 4, 23, 3)


@pytest.mark.parametrize(("name", "depth"), [("resnet_cifar10", 21), (RESNEXT, 3)])
def test_depths_that_cannot_be_are_refused(name, depth):
    with pytest.raises(InputError, match="should be"):
        AXES["depth"].change(recipes.get(name), depth)


@pytest.mark.parametrize(("cardinality", "width"), [(4, 24), (8, 14)])
def test_cardinality_goes_with_the_width_of_the_paper(cardinality, width):
    """ResNeXt-50 is 4 x 24d and 8 x 14d at the cost of 32 x 4d (papers.md 12a)."""
    options = tune(RESNEXT, cardinality=cardinality).model_options.value
    assert options == {"cardinality": cardinality, "bottleneck_width": width}


def test_multiply_adds_are_equal_over_cardinalities():
    """As near as a whole number of channels can bring them: within half of one channel's cost."""
    recipe = recipes.get("resnext_cifar:cifar10-8x64d").set(
        "model_options", "{'repeats': (1, 1, 1)}"
    )
    budget = count(recipe)
    for cardinality in (2, 16):
        changed = tune(recipe, cardinality=cardinality)
        width = changed.model_options.value["bottleneck_width"]

        def neighbour(step, changed=changed, width=width):
            options = {**changed.model_options.value, "bottleneck_width": width + step}
            return count(changed.replace(model_options=choice(options, "test")))

        assert neighbour(-1) < budget < neighbour(1)
        error = abs(count(changed) - budget)
        assert error <= min(budget - neighbour(-1), neighbour(1) - budget)
        assert error / budget < 0.02


def test_cardinality_keeps_the_cost_of_the_width():
    recipe = recipes.get("resnext_cifar:cifar10-8x64d").set(
        "model_options", "{'repeats': (1, 1, 1)}"
    )
    thin = count(tune(recipe, width=0.5))
    assert count(tune(recipe, width=0.5, cardinality=4)) == pytest.approx(thin, rel=0.03)


@pytest.mark.parametrize(("segments", "groups"), [("1", 1), ("16", 16), ("channels", 128)])
def test_segments_go_from_inception_to_xception(segments, groups):
    """One convolution of all channels has as many times the kernel of a depthwise one."""

    def weights(model):
        """Of the second 3x3 convolution of the first module, of 128 channels."""
        kernels = [v for v in model.variables if "block2_sepconv2" in v.path and v.shape[0] == 3]
        return sum(math.prod(v.shape) for v in kernels)

    assert count(tune(XCEPTION, segments=segments), weights) == 9 * 128 * (128 // groups)


def test_activation_stands_between_the_steps():
    """Figure 10 of the Xception paper; no activation is the paper's best."""

    def activations(model):
        return {
            layer.activation.__name__
            for layer in model.layers
            if layer.name.endswith("_intermediate_act")
        }

    recipe = recipes.get(XCEPTION)
    assert count(recipe, activations) == set()
    assert count(tune(recipe, activation="elu"), activations) == {"elu"}


def test_residual_scale_is_the_greatest_of_three():
    """Those of the released net are 0.17, 0.1 and 0.2 (papers.md 8)."""
    recipe = recipes.get(INCEPTION_RESNET)
    assert AXES["residual_scale"].own(recipe) == 0.2
    changed = tune(recipe, residual_scale=0.1)
    assert changed.model_options.value["residual_scale"] == pytest.approx((0.085, 0.05, 0.1))

    def scales_of(model):
        return {layer.scale for layer in model.layers if isinstance(layer, ResidualScale)}

    scales = count(changed, scales_of)
    assert sorted(scales) == pytest.approx([0.05, 0.085, 0.1])


def test_aux_weight_of_zero_leaves_the_heads_out():
    """GoogLeNet's two weigh 0.3 (papers.md 5)."""
    recipe = recipes.get(GOOGLENET)
    assert AXES["aux_weight"].own(recipe) == 0.3
    assert tune(recipe, aux_weight=0.5).aux_weight.value == 0.5
    without = tune(recipe, aux_weight=0.0)
    assert without.aux_weight.value is None
    heads = count(without, lambda model: isinstance(model.output, dict))
    assert (heads, count(recipe, lambda model: len(model.output))) == (False, 3)


def test_nets_with_weights_stay_as_they_are():
    with pytest.raises(InputError, match="it starts from weights"):
        parse_space("width", recipes.get("fine_tune"))
    parse_space("dropout,rate", recipes.get("fine_tune"))
