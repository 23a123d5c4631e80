"""Hyper-models: models of a recipe, and their training by Keras' `fit`."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets import LeNet5, recipes, tuning
from keras_convnets.data import FlipLeftRight, MixUp
from keras_convnets.errors import InputError
from keras_convnets.training import (
    EarlyStop,
    Epochs,
    Exponential,
    HeadPhase,
    Plateau,
    choice,
)
from keras_convnets.training.losses import SmoothedCrossentropy
from keras_convnets.training.model import build_model
from keras_convnets.tuning import HyperConvNet, HyperLeNet5, HyperXception, Limits, fitting
from keras_convnets.tuning.tuners import InfeasibleTrialError

DATA = {"input_shape": (32, 32, 1), "classes": 2}


@pytest.fixture
def images(rng):
    """24 of two classes, black and white ones, and their labels."""
    labels = np.arange(24) % 2
    noise = rng.integers(0, 40, (24, 32, 32, 1))
    return (noise + 200 * labels[:, None, None, None]).astype(np.uint8), labels


@pytest.fixture
def hyper_model(tiny_recipe):
    """Of LeNet-5, with a rate that is halved behind each epoch."""
    schedule = choice(Exponential(0.02, 0.5, Epochs(1)), "test")
    return HyperConvNet(None, tiny_recipe.replace(schedule=schedule), "rate,l2", **DATA)


def built(hyper_model, **values):
    hp = keras_tuner.HyperParameters()
    hp.values = values
    return hp, hyper_model.build(hp)


FAMILIES = [name for name in tuning.__all__ if name.startswith("Hyper") and name != "HyperConvNet"]


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_begins_with_the_setting_of_its_paper(name):
    """All of the recipe, and as many weights as its own net has; nothing is built."""
    family = getattr(tuning, name)
    own = recipes.get(family.default)
    size, classes = own.input_size.value, own.classes.value
    channels = 1 if name == "HyperLeNet5" else 3
    hyper_model = family(input_shape=(size, size, channels), classes=classes)
    hp = keras_tuner.HyperParameters()
    hyper_model.declare_hyperparameters(hp)
    assert hyper_model.recipe == own
    assert hyper_model.space.apply(own, hp.values) is own
    assert hp.values == hyper_model.space.defaults(own)
    assert "rate" in hp.values


def test_model_of_the_defaults_is_that_of_the_recipe(tiny_recipe, hyper_model):
    model = hyper_model.build(keras_tuner.HyperParameters())
    own = build_model(tiny_recipe, 1)
    shapes = [(v.path, v.shape) for v in own.variables]
    assert [(v.path, v.shape) for v in model.variables] == shapes
    assert model.optimizer.momentum == tiny_recipe.optimizer.value.momentum
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    [kernel] = {v.regularizer.l2 for v in model.trainable_variables if v.regularizer}
    assert float(kernel) == pytest.approx(tiny_recipe.l2.value / 2)


def test_values_of_a_trial_are_in_the_compiled_model(tiny_recipe):
    hyper_model = HyperConvNet(None, tiny_recipe, "rate,l2,smoothing", **DATA)
    _, model = built(hyper_model, rate=0.1, l2=0.001, smoothing=0.2)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    [kernel] = {v.regularizer.l2 for v in model.trainable_variables if v.regularizer}
    assert float(kernel) == pytest.approx(0.0005)
    assert isinstance(model.loss, SmoothedCrossentropy)
    assert model.loss.label_smoothing == 0.2


def as_arrays(images, labels):
    return (images, labels), {"validation_data": (images, labels)}


def as_one_hot(images, labels):
    hot = keras.utils.to_categorical(labels, 2)
    return (images, hot), {"validation_data": (images, hot)}


def as_columns(images, labels):
    """Labels as `keras.datasets.cifar10` has them."""
    return (images, labels[:, None]), {"validation_split": 0.25}


def as_data_sets(images, labels):
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)
    return (batches,), {"validation_data": batches}


def of_unknown_length(images, labels):
    batches = tf.data.Dataset.from_tensor_slices((images, tf.one_hot(labels, 2))).batch(4)
    return (batches.filter(lambda *_: True),), {"validation_data": batches}


@pytest.mark.parametrize(
    ("form", "changes"),
    [
        (as_arrays, (MixUp(0.2),)),
        (as_one_hot, ()),
        (as_columns, (FlipLeftRight(),)),
        (as_data_sets, (FlipLeftRight(),)),
        (of_unknown_length, (MixUp(0.2),)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_all_forms_of_data_are_learnt(hyper_model, images, form, changes):
    """Black and white are told apart behind four epochs."""
    hyper_model.recipe = hyper_model.recipe.replace(
        augmentation=choice(changes, "test"), length=choice(Epochs(4), "test")
    )
    keras.utils.set_random_seed(0)
    args, kwargs = form(*images)
    history = hyper_model.fit(*built(hyper_model), *args, verbose=0, **kwargs).history
    assert len(history["loss"]) == 4
    assert history["val_accuracy"][-1] == 1.0


def test_epochs_and_batches_are_the_recipes_unless_given(hyper_model, images):
    """24 images are 6 batches of 4, or 4 whole ones of 5; the recipe has two epochs."""
    for kwargs, steps in (({}, 12), ({"epochs": 3, "batch_size": 5}, 12)):
        hp, model = built(hyper_model)
        hyper_model.fit(hp, model, *images, verbose=0, **kwargs)
        assert int(model.optimizer.iterations) == steps


def test_schedule_takes_the_length_of_an_epoch_from_the_data(hyper_model, images):
    hp, model = built(hyper_model)
    hyper_model.fit(hp, model, *images, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)  # halved twice


def test_a_trial_that_goes_on_goes_on_with_steps_and_momenta(hyper_model, images, tmp_path):
    """As Hyperband does it: two epochs and two more are four at once."""
    batches = tf.data.Dataset.from_tensor_slices(images).batch(4)

    def train(*parts):
        keras.utils.set_random_seed(0)
        for first, last in parts:
            hp, model = built(hyper_model)
            if first:
                model.load_weights(tmp_path / "part.weights.h5")
            hyper_model.fit(hp, model, batches, initial_epoch=first, epochs=last, verbose=0)
            model.save_weights(tmp_path / "part.weights.h5")
        return model

    hyper_model.recipe = hyper_model.recipe.replace(augmentation=choice((), "test"))
    whole, parts = train((0, 4)), train((0, 2), (2, 4))
    assert int(parts.optimizer.iterations) == 24
    for first, second in zip(whole.variables, parts.variables, strict=True):
        np.testing.assert_allclose(first.numpy(), second.numpy(), rtol=1e-5, atol=1e-6)


def test_heads_learn_the_same_labels_and_the_main_one_counts(tiny_recipe, images):
    """The objective is named as for nets of one head; auxiliary ones weigh what the recipe says."""
    image = keras.Input((32, 32, 1))
    x = keras.layers.GlobalAveragePooling2D()(image / 255)
    heads = {
        name: keras.layers.Dense(2, activation="softmax", name=name)(x)
        for name in ("predictions", "aux1")
    }
    recipe = tiny_recipe.set("aux_weight", "0.25").set("l2", "0.0")
    model = keras.Model(image, heads)
    fitting.compile_by(model, recipe, steps_per_epoch=1)
    history = fitting.fit(model, recipe, *images, validation_data=images, verbose=0).history
    assert history["val_accuracy"] == history["val_predictions_accuracy"]
    assert history["accuracy"] == history["predictions_accuracy"]
    total = history["val_predictions_loss"][0] + 0.25 * history["val_aux1_loss"][0]
    assert history["val_loss"][0] == pytest.approx(total, rel=1e-4)


def test_validation_is_by_the_average_which_is_saved_then(hyper_model, images, tmp_path):
    """And training goes on from the weights themselves."""
    hyper_model.recipe = hyper_model.recipe.set("ema", "0.999")
    path = tmp_path / "saved.weights.h5"
    save = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    hp, model = built(hyper_model)
    seen = {}

    def look(name):
        return lambda *_: seen.update({name: model.trainable_variables[0].numpy()})

    looks = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.setdefault("end", []).append(
            model.trainable_variables[0].numpy()
        ),
        on_epoch_begin=look("begin"),
        on_epoch_end=look("evaluated"),
    )
    history = hyper_model.fit(
        hp, model, *images, validation_data=images, callbacks=[save, looks], epochs=2, verbose=0
    ).history
    steps = len(seen["end"]) // 2
    np.testing.assert_array_equal(seen["begin"], seen["end"][steps - 1])
    assert not np.allclose(seen["evaluated"], seen["end"][-1])
    averages = {v.path: a.numpy() for a, v in model.optimizer.averages()}
    saved = hyper_model.build(hp)
    saved.load_weights(path)
    for variable in saved.trainable_variables:
        np.testing.assert_allclose(variable.numpy(), averages[variable.path], rtol=1e-6)
    again = saved.evaluate(images[0], images[1], verbose=0)
    assert again[1] == pytest.approx(history["val_accuracy"][-1])


def test_rates_that_watch_are_shown_the_epochs(tiny_recipe, images):
    """At such a rate nothing is learnt, and behind each epoch but the first it is halved.

    Also behind those that are more than the two of the recipe.
    """
    schedule = Plateau(1e-12, factor=0.5, patience=Epochs(1), watch="val_top1", falls=9)
    recipe = tiny_recipe.replace(schedule=choice(schedule, "test"))
    hyper_model = HyperConvNet(None, recipe, "rate", **DATA)
    hp, model = built(hyper_model)
    hyper_model.fit(hp, model, *images, validation_data=images, epochs=4, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-12 / 8, rel=1e-6, abs=0)
    with pytest.raises(InputError, match="wants `validation_data`"):
        hyper_model.fit(hp, model, *images, verbose=0)


def test_early_stop_ends_a_trial(tiny_recipe, images):
    recipe = tiny_recipe.replace(early_stop=choice(EarlyStop(1), "test"))
    recipe = recipe.set("schedule", "Constant(1e-12)").set("augmentation", "()")
    hyper_model = HyperConvNet(None, recipe, "rate", **DATA)
    history = hyper_model.fit(
        *built(hyper_model), *images, validation_data=images, epochs=9, verbose=0
    )
    assert len(history.epoch) < 9


def test_classes_are_balanced_where_labels_are_known(tiny_recipe, images):
    recipe = tiny_recipe.set("class_weights", "balanced")
    hyper_model = HyperConvNet(None, recipe, "rate", **DATA)
    few = images[0][:12], np.array([0] * 9 + [1] * 3)
    hp, model = built(hyper_model)
    hyper_model.fit(hp, model, *few, epochs=1, verbose=0)
    assert model.loss.class_weights == pytest.approx((12 / 18, 2.0))
    batches = tf.data.Dataset.from_tensor_slices(few).batch(4)
    with pytest.raises(InputError, match="wants `class_weights` to be None"):
        hyper_model.fit(hp, model, batches, verbose=0)


def test_configurations_over_a_limit_are_not_built(tiny_recipe, monkeypatch):
    limits = Limits(memory=Limits().check(tiny_recipe, 1, 2).memory)
    hyper_model = HyperConvNet(None, tiny_recipe, "batch", limits=limits, **DATA)
    built(hyper_model, batch=2)
    monkeypatch.setattr("keras_convnets.tuning.hyper_models.build_training_model", None)
    with pytest.raises(InfeasibleTrialError, match="bytes of memory in training, where"):
        built(hyper_model, batch=8)


def test_a_builder_takes_the_place_of_the_recipes_net(tiny_recipe):
    """With its own options; the recipe's own net keeps those that it has."""
    assert HyperConvNet(LeNet5, tiny_recipe, "rate", **DATA).recipe.net == "LeNet5:modern"
    assert HyperConvNet("lenet5:modern", tiny_recipe, "rate", **DATA).recipe.net == "LeNet5:modern"
    other = HyperConvNet("ResNetCIFAR:20", tiny_recipe, "width", **DATA).recipe
    assert (other.net, other.model_options.value) == ("ResNetCIFAR:20", {})


def test_untunable_models_declare_nothing(tiny_recipe):
    """As any hyper-model of Keras Tuner."""
    hyper_model = HyperConvNet(None, tiny_recipe, "rate", tunable=False, name="fixed", **DATA)
    hp = keras_tuner.HyperParameters()
    hyper_model.declare_hyperparameters(hp)
    hyper_model.build(hp)
    assert (hp.space, hyper_model.name) == ([], "fixed")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_shape": (32, 24, 1)}, "of square images. Received: input_shape=\\(32, 24, 1\\)"),
        ({"input_shape": 32}, "of square images. Received: input_shape=32"),
        ({"input_shape": (32, 32, 0)}, "of at least 1. Received: 0"),
        ({"classes": ["a", "b"]}, "`classes` should be an integer"),
        ({"builder": "LeNet6"}, "the nearest names are LeNet5"),
        ({"recipe": "lenet5_mnits"}, "the nearest names are lenet5_mnist"),
        ({"space": "rat"}, "the nearest names are rate"),
        ({"limits": Limits(parameters=1000)}, "begins with the recipe .* itself. The net would"),
        ({"builder": "Xception"}, "begins with the recipe .* itself. The net can't be built"),
    ],
)
def test_bad_input_stops_before_a_search(tiny_recipe, change, message):
    arguments = {"builder": None, "recipe": tiny_recipe, "space": "rate", **DATA, **change}
    with pytest.raises(InputError, match=message):
        HyperConvNet(**arguments)


def test_two_phases_are_not_for_keras_fit(tiny_recipe):
    phase = choice(HeadPhase(Epochs(1), Exponential(0.1, 0.9, Epochs(1))), "test")
    with pytest.raises(InputError, match="trains in two phases.*Received: head_phase=HeadPhase"):
        HyperConvNet(None, tiny_recipe.replace(head_phase=phase), "rate", **DATA)


def test_families_are_for_their_own_nets(tiny_recipe):
    assert HyperLeNet5(tiny_recipe, "rate", **DATA).recipe.net == "LeNet5:modern"
    with pytest.raises(InputError, match="HyperXception is for nets of `keras_convnets.xception`"):
        HyperXception(tiny_recipe, "rate", **DATA)


@pytest.mark.parametrize(
    "data", [(None, None), (np.zeros((4, 32, 32, 1)), None), ("images", "labels")]
)
def test_data_of_other_forms_are_refused(hyper_model, data):
    with pytest.raises(InputError, match="should be arrays of images and labels, or a tf.data"):
        hyper_model.fit(*built(hyper_model), *data)


def test_data_without_end_want_a_length(hyper_model, images):
    batches = tf.data.Dataset.from_tensor_slices(images).batch(4).repeat()
    with pytest.raises(InputError, match="wants `steps_per_epoch`"):
        hyper_model.fit(*built(hyper_model), batches, verbose=0)
    hp, model = built(hyper_model)
    hyper_model.fit(hp, model, batches, steps_per_epoch=3, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == 3
