"""New heads and frozen layers: which variables change in a step, and which statistics."""

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets import transfer
from keras_convnets.errors import InputError
from keras_convnets.layers import BatchNormalization
from keras_convnets.training.transfer import head_begin, trunk_end

SMALL = {
    "AlexNet": {"width_multiplier": 0.1, "head_units": (16, 16)},
    "GoogLeNet": {"width_multiplier": 0.1},
    "InceptionV3": {"width_multiplier": 0.1},
    "LeNet5": {},
    "LeNet5:modern": {},
    "NIN": {"width_multiplier": 0.1},
    "ResNet18": {"width_multiplier": 0.1},
    "ResNeXt29": {"width_multiplier": 0.1},
    "VGG11": {"width_multiplier": 0.1, "head_units": (16, 16)},
    "VGG16:separable": {"width_multiplier": 0.1},
    "Xception": {"width_multiplier": 0.1, "middle_repeats": 0},
}


def build(name, **options):
    return keras_convnets.get_model(name, weights=None, **SMALL[name], **options)


@pytest.mark.parametrize("name", SMALL)
def test_a_new_head_stands_on_the_same_trunk(name, rng):
    model = build(name)
    old = head_begin(model)
    net = transfer.replace_head(model, 7)
    assert net.output_shape == (None, 7)
    assert net.layers[-1].name == "predictions"
    new = head_begin(net)
    assert trunk_end(net, new) == trunk_end(model, old)
    for layer in net.layers:
        if layer.weights and layer.name != new:
            assert layer is model.get_layer(layer.name)
    assert net.get_layer(new).weights[-1].shape == (7,)
    image = rng.normal(size=(2, *model.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(net(image).numpy().sum(axis=1), 1, rtol=1e-5)


def test_only_the_last_of_the_dense_layers_is_replaced():
    net = transfer.replace_head(build("VGG11", dropout_rate=0.5), 7, dropout_rate=0.3)
    names = [layer.name for layer in net.layers][-5:]
    assert names == ["fc1", "fc2_dropout", "fc2", "dropout", "predictions"]
    assert net.get_layer("dropout").rate == 0.3


def test_the_last_convolution_of_a_convolutional_head_is_replaced():
    net = transfer.replace_head(build("NIN"), 7, activation=None)
    names = [layer.name for layer in net.layers][-4:]
    assert names == ["cccp6", "cccp6_act", "avg_pool", "predictions"]
    assert net.get_layer("predictions").activation is keras.activations.linear


@pytest.mark.parametrize("pooling", [None, "avg", "max"])
def test_a_net_without_top_gets_one(pooling):
    net = transfer.replace_head(
        build("Xception", include_top=False, pooling=pooling, input_shape=(71, 71, 3)), 5
    )
    assert net.output_shape == (None, 5)
    assert len(net.get_layer("predictions").input.shape) == 2


def test_auxiliary_heads_are_left_out():
    net = transfer.replace_head(build("GoogLeNet", aux_logits=True), 5)
    assert isinstance(net.output, keras.KerasTensor)
    assert not [layer.name for layer in net.layers if layer.name.startswith("aux")]


def test_a_new_head_computes_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    for name in ("ResNet18", "NIN"):
        assert transfer.replace_head(build(name), 5).get_layer("predictions").dtype == "float32"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 0}, "`classes` should be an integer of at least 1"),
        ({"classes": 5, "dropout_rate": 1}, "`dropout_rate` should be a number"),
        ({"classes": 5, "activation": "foo"}, "`activation` should be .*Received: 'foo'"),
        ({"classes": 5, "activation": 3}, "`activation` should be .*Received: 3"),
    ],
)
def test_bad_heads_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        transfer.replace_head(build("LeNet5:modern"), **options)


def test_models_in_models_are_refused():
    """Their normalization would go on learning, unseen."""
    trunk = build("ResNet18", include_top=False, input_shape=(32, 32, 3))
    image = keras.Input((32, 32, 3))
    whole = keras.Model(image, keras.layers.GlobalAveragePooling2D()(trunk(image)), name="whole")
    for use in (lambda: transfer.replace_head(whole, 3), lambda: transfer.freeze(whole)):
        with pytest.raises(InputError, match="'whole' has the model 'resnet18' in it as one layer"):
            use()


TAP = "conv3_block1_out"  # of the net below
STATISTICS = {"moving_mean", "moving_variance"}


@pytest.fixture
def net():
    return build("ResNet18", small_input=True, classes=3, input_shape=(8, 8, 3))


def changed_by_a_step(net, rng):
    """The variables, by layer and name, that one step of training changes."""
    net.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    named = {(layer.name, v.name): v for layer in net.layers for v in layer.weights}
    before = {pair: variable.numpy() for pair, variable in named.items()}
    images = rng.normal(3, 2, (8, 8, 8, 3)).astype("float32")
    net.fit(images, np.arange(8) % 3, batch_size=8, verbose=0)
    return {pair for pair in named if not np.array_equal(named[pair].numpy(), before[pair])}


def parts_of(net, tap):
    """The layers up to a tap, in the sense of the graph, and those behind it."""
    until = {layer.name for layer in keras.Model(net.input, net.get_layer(tap).output).layers}
    return until, {layer.name for layer in net.layers} - until


def norms(net, names):
    return {name for name in names if isinstance(net.get_layer(name), BatchNormalization)}


def test_all_learns_without_freezing(net, rng):
    changed = changed_by_a_step(net, rng)
    assert changed == {(layer.name, v.name) for layer in net.layers for v in layer.weights}


def test_frozen_layers_keep_weights_and_statistics(net, rng):
    frozen, behind = parts_of(net, TAP)
    transfer.freeze(net, TAP)
    changed = changed_by_a_step(net, rng)
    assert not {name for name, _ in changed} & frozen
    # Normalization computes as in inference behind the tap too.
    assert not {name for name, _ in changed} & norms(net, behind)
    learnt = {name for name in behind if net.get_layer(name).weights} - norms(net, behind)
    assert {name for name, _ in changed} == learnt


def test_statistics_of_frozen_layers_move_in_train_mode_and_nothing_else_does(net, rng):
    frozen, behind = parts_of(net, TAP)
    transfer.freeze(net, TAP, "train")
    changed = changed_by_a_step(net, rng)
    assert {pair for pair in changed if pair[0] in frozen} == {
        (name, variable) for name in norms(net, frozen) for variable in STATISTICS
    }
    assert {pair for pair in changed if pair[0] in behind} == {
        (name, v.name) for name in behind for v in net.get_layer(name).weights
    }


def test_inference_mode_alone_keeps_normalization_only(net, rng):
    transfer.freeze(net)
    changed = changed_by_a_step(net, rng)
    assert {name for name, _ in changed} == {
        layer.name for layer in net.layers if layer.weights
    } - norms(net, {layer.name for layer in net.layers})


def test_a_frozen_norm_computes_with_its_moving_statistics(net, rng):
    images = rng.normal(3, 2, (8, 8, 8, 3)).astype("float32")
    transfer.freeze(net)
    as_trained = net(images, training=True).numpy()
    np.testing.assert_array_equal(as_trained, net(images, training=False))
    transfer.freeze(net, None, "train")
    assert not np.allclose(net(images, training=True), as_trained)


@pytest.mark.parametrize("mode", ["inference", "train"])
def test_freezing_is_undone(net, rng, mode):
    transfer.freeze(net, TAP, mode)
    transfer.freeze(net, None, "train")
    assert len(changed_by_a_step(net, rng)) == len(net.weights)


def test_branches_that_do_not_lead_to_the_layer_stay_free():
    """Of two towers of a module only the one that the named layer is in is frozen."""
    net = build("GoogLeNet", input_shape=(64, 64, 3))
    layer = next(layer for layer in net.layers if "branch2" in layer.name and layer.weights)
    transfer.freeze(net, layer.name)
    others = [other for other in net.layers if "branch3" in other.name and other.weights]
    assert not layer.trainable
    assert all(other.trainable for other in others)


def test_unknown_layers_and_modes_are_named(net):
    with pytest.raises(InputError, match="`until` should name a layer of 'resnet18', such as"):
        transfer.freeze(net, "conv9")
    with pytest.raises(InputError, match="`batch_norm` should be one of 'inference', 'train'"):
        transfer.freeze(net, None, "frozen")


def test_a_head_begins_where_weights_are_new():
    net = build("VGG11")
    assert head_begin(net) == "predictions"
    assert head_begin(net, ["predictions", "fc1"]) == "fc1"
    assert trunk_end(net, "fc1") == "flatten"
