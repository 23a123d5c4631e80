"""Recipes as values: sources, text, JSON, scaling."""

import json

import pytest

from keras_convnets import recipes
from keras_convnets.data import FlipLeftRight, MixUp, PadCrop, RandAugment
from keras_convnets.errors import InputError
from keras_convnets.training import (
    SGD,
    Constant,
    Cosine,
    EarlyStop,
    Epochs,
    Exponential,
    HeadPhase,
    HeNormal,
    Layerwise,
    MovingAverage,
    Normal,
    P,
    Piecewise,
    Plateau,
    PolyakMean,
    Polynomial,
    Recipe,
    RMSprop,
    Steps,
    TruncatedNormal,
    Warmup,
    choice,
)
from keras_convnets.training.literals import parse
from keras_convnets.training.model import model_card, preprocessing_of
from keras_convnets.training.recipe import FIELDS


@pytest.fixture
def recipe():
    return recipes.get("xception_imagenet")


@pytest.mark.parametrize("name", recipes.names())
def test_json_gives_the_recipe_back(name):
    recipe = recipes.get(name)
    text = json.dumps(recipe.to_json())
    assert Recipe.from_json(json.loads(text)) == recipe


@pytest.mark.parametrize("name", recipes.names())
def test_every_field_has_a_source(name):
    fields = recipes.get(name).to_json()
    assert set(FIELDS) < set(fields)
    for field in FIELDS:
        assert fields[field]["kind"] in ("paper", "code", "choice")
        assert len(fields[field]["source"]) > 5


def test_a_value_without_a_source_is_refused(recipe):
    with pytest.raises(InputError, match="'l2' of a recipe needs a source"):
        recipe.replace(l2=1e-5)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("l2", "0.001", 0.001),
        ("l2", "0", 0),
        ("model", "LeNet5", "LeNet5"),
        ("model", "'LeNet5'", "LeNet5"),
        ("variant", "modern", "modern"),
        ("variant", "None", None),
        ("ema", "None", None),
        ("input_size", "64", 64),
        ("model_options", '{"head_units": (4096, 4096)}', {"head_units": (4096, 4096)}),
        ("optimizer", "RMSprop(epsilon=1.0)", RMSprop(epsilon=1.0)),
        ("schedule", "Exponential(0.1, 0.9, Steps(5))", Exponential(0.1, 0.9, Steps(5))),
        ("augmentation", "(FlipLeftRight(), PadCrop(2))", (FlipLeftRight(), PadCrop(2))),
        ("augmentation", "()", ()),
        ("augmentation", "(RandAugment(1), MixUp(0.4))", (RandAugment(1), MixUp(0.4))),
        ("schedule", "Cosine(0.1, warmup=None)", Cosine(0.1, warmup=None)),
        ("head_phase", "HeadPhase(Epochs(2), Constant(0.1))", HeadPhase(Epochs(2), Constant(0.1))),
        ("head_phase", "None", None),
        ("early_stop", "EarlyStop(3)", EarlyStop(3)),
        ("weights", "runs/first", "runs/first"),
        ("weights", "None", None),
        ("input_size", "None", None),
        ("classes", "None", None),
        ("freeze_until", "block4_add", "block4_add"),
        ("batch_norm_mode", "inference", "inference"),
        ("class_weights", "balanced", "balanced"),
        ("ema", "0.99", 0.99),
        ("ema", "MovingAverage(0.99)", MovingAverage(0.99)),
        ("ema", "PolyakMean(Epochs(3))", PolyakMean(Epochs(3))),
        ("optimizer", "SGD(0.9, rate_inside=False)", SGD(0.9, rate_inside=False)),
        ("schedule", "Plateau(0.1, watch='loss')", Plateau(0.1, watch="loss")),
        ("schedule", "Polynomial(0.1, 0.5)", Polynomial(0.1, 0.5)),
        (
            "schedule",
            "Warmup(0.01, 0.8, Piecewise((0.1, 0.01), (Steps(5),)))",
            Warmup(0.01, 0.8, Piecewise((0.1, 0.01), (Steps(5),))),
        ),
        ("batch_norm", "{'epsilon': 1e-5}", {"epsilon": 1e-5}),
        ("initializer", "he_normal", "he_normal"),
        ("initializer", "HeNormal('fan_out')", HeNormal("fan_out")),
        (
            "initializer",
            "Layerwise(Normal(0.01), {'fc*': TruncatedNormal(0.1)}, {'conv2': 1})",
            Layerwise(Normal(0.01), {"fc*": TruncatedNormal(0.1)}, {"conv2": 1}),
        ),
        ("bias_rate", "2", 2),
    ],
)
def test_fields_are_set_from_text(recipe, field, text, value):
    changed = recipe.set(field, text)
    assert getattr(changed, field).value == value
    assert getattr(changed, field).kind == "choice"
    assert Recipe.from_json(json.loads(json.dumps(changed.to_json()))) == changed


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("rate", "0.1", "no field 'rate'; the nearest are"),
        ("l2", "much", "'much' is no value of a recipe"),
        ("l2", "-1", "0 or more"),
        ("input_size", "2.5", "should be int or None. Received: 2.5"),
        ("batch_size", "True", "should be int. Received: True"),
        ("classes", "1", "above 1"),
        ("l2", "1e999", "0 or more"),
        ("length", "Steps(2.5)", "an integer of at least 1"),
        ("length", "Epochs(1e999)", "a number above 0"),
        ("schedule", "Constant(-1)", "a number above 0"),
        ("schedule", "Exponential(0.1, 0.9, 2)", "should be Epochs, Samples or Steps"),
        ("schedule", "Cosine(0.1, final=0.2)", "of at most 0.1"),
        ("schedule", "Cosine(0.1, warmup=2)", "should be Epochs, Samples or Steps"),
        ("head_phase", "HeadPhase(2, Constant(0.1))", "length of HeadPhase should be Epochs or"),
        ("head_phase", "HeadPhase(Epochs(2), 0.1)", "schedule of HeadPhase should be Constant or"),
        ("early_stop", "EarlyStop(0)", "an integer of at least 1"),
        ("batch_norm_mode", "frozen", "'train' or 'inference'"),
        ("class_weights", "equal", "'balanced' or None"),
        ("ema", "1.5", "or None. Received: 1.5"),
        ("ema", "MovingAverage(1)", "below 1"),
        ("ema", "PolyakMean(3)", "should be Epochs, Samples or Steps"),
        ("optimizer", "RMSprop(initial_accumulator=-1)", "of at least 0"),
        ("schedule", "Plateau(0.1, watch='rate')", "`watch` should be one of 'val_top1'"),
        ("schedule", "Plateau(0.1, factor=2)", "below 1"),
        ("schedule", "Plateau(0.1, patience=3)", "should be Epochs, Samples or Steps"),
        ("schedule", "Polynomial(0.1, 0)", "power of Polynomial should be a number above 0"),
        ("schedule", "Warmup(0.1, 0.8, 0.2)", "behind Warmup should be one of Constant"),
        ("batch_norm", "{}", "{'momentum': a number in"),
        ("batch_norm", "{'momentum': 1}", "{'momentum': a number in"),
        ("batch_norm", "{'epsilon': 0}", "'epsilon': a number above 0"),
        ("batch_norm", "{'rate': 0.1}", "'epsilon': a number above 0"),
        ("initializer", "Normal(0)", "stddev of Normal should be a number above 0"),
        ("initializer", "HeNormal('fan')", "`mode` should be one of 'fan_in', 'fan_out'"),
        ("initializer", "Layerwise('zeros')", "should be one of Normal, TruncatedNormal"),
        ("initializer", "Layerwise(biases={'fc6': 'one'})", "A first bias should be a number"),
        ("initializer", "normally", "the name of a Keras initializer"),
        ("bias_rate", "0", "a positive number"),
        ("augmentation", "(MixUp(), FlipLeftRight())", "single images before those of batches"),
        ("augmentation", "(MixUp(0),)", "above 0"),
        ("augmentation", "(CutMix(2),)", "of at most 1"),
        ("augmentation", "(RandAugment(0),)", "of at least 1"),
        ("optimizer", "SGD(momentum=5)", "below 1"),
        ("optimizer", "RMSprop(epsilon=-1)", "above 0"),
        ("evaluation", "CenterCrop(0)", "above 0"),
        ("augmentation", "(PadCrop(-2),)", "of at least 0"),
        ("augmentation", "(InceptionCrop(area=(2, 3)),)", "of at most 1"),
        ("batch_norm", "{'foo': 0.9}", "a number in"),
        ("model_options", "{1: 2}", "options by name"),
        ("model_options", "{'classes': 3}", "options by name"),
        ("results", "{'a': 1e999}", "figures by name"),
        ("dropout_rate", "1", r"number in \[0, 1\)"),
        ("l2_scope", "biases", "'kernels' or 'all'"),
        ("initializer", "gloriot", "name of a Keras initializer"),
        ("parallelism", "both", "'sync' or 'async'"),
        ("optimizer", "Adam()", "Received: 'Adam'"),
        ("optimizer", "SGD(speed=1)", "unexpected keyword"),
        ("schedule", "0.1", "should be Constant or Cosine or Exponential or Piecewise"),
        ("augmentation", "(1,)", "tuple of augmentations"),
        ("model_options", "{", "no value of a recipe"),
        ("length", "Epochs(0)", "a number above 0"),
        ("length", "__import__('os').getcwd()", "no value of a recipe"),
    ],
)
def test_bad_settings_are_sentences(recipe, field, text, message):
    with pytest.raises(InputError, match=message) as caught:
        recipe.set(field, text)
    assert "\n" not in str(caught.value)


def test_text_is_never_executed():
    for text in ("().__class__", "open('x')", "(lambda: 1)()", "SGD.__init__", "[x for x in ()]"):
        with pytest.raises(InputError):
            parse(text)


def test_scaling_the_batch_scales_the_rate(recipe):
    scaled = recipe.scaled(batch_size=192, classes=10)
    assert scaled.batch_size.value == 192
    assert scaled.schedule.value.initial == pytest.approx(0.0045)
    assert scaled.schedule.value.every == Epochs(2)
    assert scaled.classes.value == 10
    assert scaled.schedule.kind == scaled.batch_size.kind == "choice"
    assert "section 4.2" in scaled.schedule.source
    assert recipe.batch_size.value == 1920


def test_scaling_the_batch_scales_the_rate_of_the_head_too():
    recipe = recipes.get("fine_tune")
    scaled = recipe.scaled(batch_size=recipe.batch_size.value * 2)
    for field in ("head_phase", "schedule"):
        assert getattr(scaled, field).value == getattr(recipe, field).value.scaled(2)
    assert scaled.head_phase.value.schedule.initial == 2 * recipe.head_phase.value.schedule.initial


def test_another_model_leaves_the_options_of_the_first_behind():
    recipe = recipes.get("xception_fashion_mnist").with_model("ResNet50:v1.5")
    assert (recipe.net, recipe.variant.value, recipe.model_options.value) == (
        "ResNet50:v1.5",
        None,
        {},
    )


def test_scaling_one_thing_leaves_the_others(recipe):
    scaled = recipe.scaled(length=Epochs(1))
    assert scaled.schedule == recipe.schedule
    assert scaled.length.value == Epochs(1)


def test_it_shows_itself_as_a_table(recipe):
    page = recipe.replace(hardware=P("<60> GPUs", "section 4.4"))._repr_html_()
    assert "<td>&lt;60&gt; GPUs</td><td>paper</td><td>section 4.4</td>" in page
    assert page.count("<tr>") == len(FIELDS) + 1


def test_broken_recipe_files_are_named(recipe):
    fields = recipe.to_json()
    del fields["l2"]
    with pytest.raises(InputError, match=r"no recipe.json: KeyError\('l2'\)"):
        Recipe.from_json(fields)


def test_piecewise_wants_one_rate_more(recipe):
    with pytest.raises(InputError, match="one rate more than stretches"):
        recipe.set("schedule", "Piecewise((0.1,), (Epochs(1),))")
    assert recipe.replace(
        schedule=choice(Piecewise((0.1, 0.01), (Epochs(1),)), "two stretches"),
        optimizer=choice(SGD(0.0), "plain"),
    )


@pytest.mark.parametrize(
    ("model", "variant", "net"),
    [
        ("GoogLeNet", None, "GoogLeNet"),
        ("GoogLeNet", "slim", "GoogLeNet:slim"),
        ("GoogLeNet:slim", None, "GoogLeNet:slim"),
        ("GoogLeNet:slim", "slim", "GoogLeNet:slim"),
    ],
)
def test_net_is_the_model_with_its_variant(model, variant, net, tiny_recipe):
    recipe = tiny_recipe.replace(model=choice(model, "test"), variant=choice(variant, "test"))
    assert recipe.net == net


@pytest.mark.parametrize(
    ("model", "variant", "options", "card", "mode"),
    [
        ("VGG11:batch_norm", None, {}, "batch_norm", "torch"),
        ("VGG16", None, {"batch_norm": True}, "batch_norm", "torch"),
        ("VGG16", None, {}, None, "caffe"),
        ("ResNeXt101", "64x4d", {}, "64x4d", "torch"),
        ("ResNeXt101:64x4d", "64X4D", {}, "64x4d", "torch"),
        ("ResNeXt101", None, {"cardinality": 64}, "64x4d", "torch"),
        ("ResNeXt101", "64x4d", {"cardinality": 2}, None, "torch"),  # no net with a name
        ("ResNetCIFAR", None, {"depth": 110}, "110", "cifar"),
        ("ResNet50", "v1.5", {}, "v1.5", "torch"),
    ],
)
def test_card_and_scaling_are_those_of_the_net_that_is_built(
    model, variant, options, card, mode, tiny_recipe
):
    values = {"model": model, "variant": variant, "model_options": options}
    recipe = tiny_recipe.replace(**{k: choice(v, "test") for k, v in values.items()})
    found = model_card(recipe, ("a", "b"), preprocessing_of(recipe, 3))
    assert (found.variant, found.preprocessing.mode) == (card, mode)


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (Epochs(30), Epochs(6)),  # the recipe has 3 of 15
        (Epochs(15), Epochs(3)),
        (Epochs(3), Epochs(1)),
        (Epochs(2), Epochs(1)),
        (Epochs(1), Epochs(0.5)),
        (Steps(100), Epochs(3)),  # a unit that nothing compares with epochs yet
    ],
)
def test_a_head_phase_keeps_its_share_of_another_length(length, head):
    scaled = recipes.get("fine_tune").scaled(length=length)
    assert scaled.head_phase.value.length == head
    assert scaled.head_phase.value.schedule == recipes.get("fine_tune").head_phase.value.schedule


def test_a_head_phase_that_the_user_gave_or_that_is_the_whole_run_stays():
    recipe = recipes.get("fine_tune")
    given = recipe.set("head_phase", "HeadPhase(Epochs(2), Constant(0.1))")
    assert given.scaled(length=Epochs(40)).head_phase == given.head_phase
    whole = recipe.replace(head_phase=choice(HeadPhase(Epochs(15), Constant(0.1)), "test"))
    assert whole.scaled(length=Epochs(40)).head_phase == whole.head_phase


def test_length_and_batch_scale_a_head_phase_together():
    head = recipes.get("fine_tune").scaled(length=Epochs(5), batch_size=64).head_phase.value
    assert head == HeadPhase(Epochs(1), Constant(0.02))


def test_a_recipe_of_before_a_field_was_there_means_its_default(recipe):
    fields = recipe.to_json()
    for field in ("weights", "head_phase", "preprocessing", "early_stop", "bias_rate"):
        del fields[field]
    assert Recipe.from_json(fields) == recipe
    del fields["model"]
    with pytest.raises(InputError, match="no recipe.json: KeyError.'model'"):
        Recipe.from_json(fields)
