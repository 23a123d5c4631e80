"""Costs by resolution."""

import keras
import pytest
from keras import layers

import keras_convnets
from keras_convnets.analysis import cost_by_stage, count_complexity
from keras_convnets.errors import InputError


def sizes(model, input_shape=None):
    return {stage.stride: stage.size for stage in cost_by_stage(model, input_shape)}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        (
            "InceptionV3",  # 149, 147, 73, 35, 17, 8: papers.md 7
            {"repeats": (1, 1, 1)},
            {2: (149, 149), 4: (73, 73), 8: (35, 35), 16: (17, 17), 32: (8, 8), None: None},
        ),
        (
            "InceptionV3",  # "valid" layers leave 1 / 75, not 1 / 32
            {"repeats": (1, 1, 1), "input_shape": (75, 75, 3)},
            {2: (37, 37), 4: (17, 17), 8: (7, 7), 16: (3, 3), 32: (1, 1), None: None},
        ),
        (
            "Xception",
            {"middle_repeats": 0, "width_multiplier": 0.1, "input_shape": (96, 72, 3)},
            {2: (47, 35), 4: (23, 17), 8: (12, 9), 16: (6, 5), 32: (3, 3), None: None},
        ),
        ("LeNet5", {}, {1: (28, 28), 2: (14, 14), 4: (5, 5), None: None}),
    ],
)
def test_layers_are_grouped_by_the_strides_in_front_of_them(name, options, expected):
    model = keras_convnets.get_model(name, weights=None, **options)
    assert sizes(model) == expected


def test_every_layer_is_in_one_stage():
    model = keras_convnets.Xception(
        weights=None, middle_repeats=1, width_multiplier=0.1, input_shape=(71, 71, 3)
    )
    cost, stages = count_complexity(model), cost_by_stage(model)
    names = [layer.name for stage in stages for layer in stage.layers]
    assert sorted(names) == sorted(layer.name for layer in cost.layers[1:])  # without the image
    assert sum(stage.macs for stage in stages) == cost.macs
    assert sum(stage.trainable for stage in stages) == cost.trainable
    [head] = [stage for stage in stages if stage.name == "head"]
    assert [layer.name for layer in head.layers] == ["avg_pool", "predictions"]
    assert head.macs == 208 * 1000


def test_channels_first():
    keras.config.set_image_data_format("channels_first")
    model = keras_convnets.Xception(
        weights=None, middle_repeats=0, width_multiplier=0.1, input_shape=(3, 96, 72)
    )
    assert sizes(model)[4] == (23, 17)


def test_models_inside_and_plain_operations_keep_the_stride():
    image = keras.Input((32, 32, 3))
    inside = keras.Model(image, layers.Conv2D(4, 3, 2, "same", name="inner")(image) + 3.0)
    model = keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            layers.MaxPooling2D(),
            inside,
            layers.Conv2D(4, 3, 2, "same", name="outer"),
            layers.UpSampling2D(4, name="up"),
            layers.Conv2DTranspose(3, 2, 2, name="transposed"),
        ]
    )
    found = {layer.name: s.stride for s in cost_by_stage(model) for layer in s.layers}
    found = {name: found[name] for name in ("inner", "outer", "up", "transposed")}
    assert found == {"inner": 4, "outer": 8, "up": 2, "transposed": 1}


def test_a_map_weighted_by_what_was_pooled_from_it_keeps_its_stride():
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, 2, "same")(image)
    weights = layers.Dense(4, name="squeeze")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    model = keras.Model(image, layers.Conv2D(4, 1, name="behind")(layers.Multiply()([weights, x])))
    found = {layer.name: s.name for s in cost_by_stage(model) for layer in s.layers}
    assert (found["squeeze"], found["behind"]) == ("head", "stride 2")


def test_free_sizes_need_an_input_shape():
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3, 2, "same")])
    with pytest.raises(InputError, match="`cost_by_stage` needs an `input_shape`"):
        cost_by_stage(model)
    assert sizes(model, (8, 8, 3)) == {2: (4, 4)}


def test_maps_finer_than_the_image_have_a_stride_below_1():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="first")(image)
    x = keras.layers.UpSampling2D(2)(x)
    x = keras.layers.Conv2D(4, 3, padding="same", name="fine")(x)
    x = keras.layers.Conv2D(4, 3, 2, padding="same", name="back")(x)
    stages = cost_by_stage(keras.Model(image, x))
    assert [stage.stride for stage in stages] == [0.5, 1]
    assert [layer.name for layer in stages[1].layers] == ["first", "back"]
