"""Steps, modules and repeats, against the figures of the papers."""

import keras
import pytest
from keras import layers

import keras_convnets
from keras_convnets.analysis.blocks import Module, SideHead, find_blocks, steps_of
from keras_convnets.analysis.steps import TIMES, Kind, Step, shape_text
from keras_convnets.analysis.weightless import weightless
from keras_convnets.errors import InputError
from keras_convnets.layers import (
    BatchNormalization,
    BiasedConv2D,
    BiasedSeparableConv2D,
    GroupedConv2D,
    LocalResponseNormalization,
    PointwiseConv2D,
    SegmentedConv2D,
)

# Others of the same form, deeper by a number, are left out for their time.
NETS = [
    name
    for name in keras_convnets.list_models()
    if not any(depth in name for depth in ("101", "110", "1202", "152", "200"))
]


def blocks_of(name, **options):
    return weightless(lambda: find_blocks(keras_convnets.get_model(name, weights=None, **options)))


def modules(blocks):
    return {block.name: block for block in blocks if isinstance(block, Module)}


def plain(text):
    """A text as a keyboard has it."""
    return text.replace(TIMES, "x")


def texts(items):
    return [plain(step.text) for step in steps_of(items)]


def count_convolutions(items):
    """Convolutions of all that is repeated."""
    total = 0
    for item in items:
        if isinstance(item, Step):
            total += sum("Conv" in part for part in item.parts)
        elif isinstance(item, Module):
            inside = [*item.lead, *item.branches, *([item.join] if item.join else [])]
            total += item.repeats * count_convolutions(inside)
        else:
            total += getattr(item, "paths", 1) * count_convolutions(item.items)
    return total


@pytest.mark.parametrize(
    ("stack", "text", "kind"),
    [
        ([layers.Conv2D(64, 3)], "3x3 conv, 64", Kind.CONVOLUTION),
        ([layers.Conv2D(64, (1, 7), 2)], "1x7 conv, 64, /2", Kind.CONVOLUTION),
        ([layers.Conv2D(64, 3, dilation_rate=2)], "3x3 conv, 64, dilation 2", Kind.CONVOLUTION),
        ([layers.Conv2D(64, 3, activation="elu")], "3x3 conv, 64, ELU", Kind.CONVOLUTION),
        ([BiasedConv2D(8, 3), layers.ReLU()], "3x3 conv, 8", Kind.CONVOLUTION),
        ([PointwiseConv2D(8, strides=2)], "1x1 conv, 8, /2", Kind.CONVOLUTION),
        ([BiasedSeparableConv2D(8, 3)], "3x3 separable conv, 8", Kind.SEPARABLE),
        ([layers.DepthwiseConv2D(5)], "5x5 depthwise conv", Kind.SEPARABLE),
        ([GroupedConv2D(8, 3, groups=4)], "3x3 conv, 8, 4 groups", Kind.SEPARABLE),
        ([SegmentedConv2D(9, 3, (5, 3))], "3x3 conv, 9, 2 segments", Kind.SEPARABLE),
        ([layers.ZeroPadding2D(3), layers.Conv2D(64, 7, 2)], "7x7 conv, 64, /2", Kind.CONVOLUTION),
        (
            [layers.Conv2D(8, 1), BatchNormalization(), layers.Activation("relu")],
            "1x1 conv, 8",
            Kind.CONVOLUTION,
        ),
        ([layers.MaxPooling2D(3, 2)], "3x3 max pool, /2", Kind.POOL),
        ([layers.ZeroPadding2D(1), layers.AveragePooling2D(3, 1)], "3x3 average pool", Kind.POOL),
        ([layers.GlobalAveragePooling2D()], "global average pool", Kind.POOL),
        ([layers.AdaptiveAveragePooling2D(4)], "average pool to 4x4", Kind.POOL),
        ([LocalResponseNormalization()], "local response norm", Kind.NORMALIZATION),
        ([BatchNormalization(), layers.ReLU()], "BN, ReLU", Kind.NORMALIZATION),
        (
            [layers.Flatten(), layers.Dense(9, "softmax"), layers.Dropout(0.5)],
            "dense 9, softmax, dropout 0.5",
            Kind.DENSE,
        ),
        ([layers.UpSampling2D()], "up sampling", Kind.OTHER),
    ],
)
def test_layers_that_belong_together_are_one_step(stack, text, kind):
    first, *others = find_blocks(keras.Sequential([keras.Input((32, 32, 8)), *stack]))
    assert plain(first.text) == "input, 32 x 32 x 8"
    [step] = others
    assert (plain(step.text), step.kind) == (text, kind)
    assert step.layers == tuple(layer.name for layer in stack)


def test_normalization_of_a_pool_or_a_sum_is_a_step_of_its_own():
    stack = [layers.MaxPooling2D(2), BatchNormalization(), layers.ReLU()]
    blocks = find_blocks(keras.Sequential([keras.Input((32, 32, 8)), *stack]))
    assert texts(blocks)[1:] == ["2x2 max pool, /2", "BN, ReLU"]


@pytest.mark.parametrize("name", NETS)
def test_every_convolution_is_in_one_step(name):
    def work():
        model = keras_convnets.get_model(name, weights=None)
        names = {layer.name for layer in model.layers}
        convs = sum("Conv" in type(layer).__name__ for layer in model.layers)
        return find_blocks(model), names, convs

    blocks, names, convs = weightless(work)
    assert count_convolutions(blocks) == convs
    drawn = [layer for step in steps_of(blocks) for layer in step.layers]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) <= names


def test_googlenet_has_nine_modules_of_four_branches():
    found = modules(blocks_of("GoogLeNet"))
    letters = {3: "ab", 4: "abcde", 5: "ab"}
    assert list(found) == [f"inception_{n}{c}" for n, row in letters.items() for c in row]
    assert {(len(module.branches), module.repeats) for module in found.values()} == {(4, 1)}
    third = found["inception_3a"]
    assert [texts(branch.items) for branch in third.branches] == [
        ["1x1 conv, 64"],
        ["1x1 conv, 96", "3x3 conv, 128"],
        ["1x1 conv, 16", "5x5 conv, 32"],
        ["3x3 max pool", "1x1 conv, 32"],
    ]
    assert (third.join.text, third.shape) == ("concat", (28, 28, 256))


def test_inception_v4_repeats_its_modules():
    found = modules(blocks_of("InceptionV4"))
    assert {name: module.repeats for name, module in found.items() if module.repeats > 1} == {
        "mixed_5b to 5e": 4,
        "mixed_6b to 6h": 7,
        "mixed_7b to 7d": 3,
    }
    _, second, _, _ = found["mixed_7b to 7d"].branches
    [fork] = second.items
    assert texts(fork.lead) == ["1x1 conv, 384"]
    assert [texts(branch.items) for branch in fork.branches] == [
        ["1x3 conv, 256"],
        ["3x1 conv, 256"],
    ]


def test_the_shortcut_of_xception_is_a_branch_without_steps():
    middle = modules(blocks_of("Xception"))["block5 to block12"]
    assert middle.repeats == 8
    residue, shortcut = middle.branches
    assert texts(residue.items) == ["ReLU", *["3x3 separable conv, 728"] * 3]
    assert (shortcut.items, middle.join.text) == ((), "add")


def test_inception_resnet_adds_a_scaled_residue():
    found = modules(blocks_of("InceptionResNetV2"))
    assert [module.repeats for module in found.values()] == [1, 10, 1, 20, 1, 9, 1]
    residue, shortcut = found["block17_1 to 20"].branches
    fork, last = residue.items
    assert (len(fork.branches), plain(last.text)) == (2, "1x1 conv, 1088")
    assert (plain(found["block17_1 to 20"].join.text), shortcut.items) == ("add, residue x 0.1", ())


@pytest.mark.parametrize("source", [keras.applications, keras_convnets])
def test_each_stage_of_resnet152_is_one_unit_and_its_repeats(source):
    found = modules(weightless(lambda: find_blocks(source.ResNet152(weights=None))))
    assert [module.repeats for module in found.values()] == [1, 2, 1, 7, 1, 35, 1, 2]
    assert list(found)[4:6] == ["conv4_block1", "conv4_block2 to block36"]
    assert [texts(branch.items) for branch in found["conv4_block1"].branches] == [
        ["1x1 conv, 256, /2", "3x3 conv, 256", "1x1 conv, 1024"],
        ["1x1 conv, 1024, /2"],
    ]


def test_what_is_normalized_before_a_fork_leads_into_the_module():
    blocks = weightless(lambda: find_blocks(keras.applications.ResNet50V2(weights=None)))
    found = modules(blocks)
    projected, identity = found["conv3_block1"], found["conv3_block2 to block3"]
    assert texts(projected.lead) == ["BN, ReLU"]
    assert [texts(branch.items)[0] for branch in projected.branches] == [
        "1x1 conv, 128",
        "1x1 conv, 512",
    ]
    assert identity.lead == ()
    assert texts(identity.branches[0].items)[:2] == ["BN, ReLU", "1x1 conv, 128"]
    assert texts(blocks)[-3:] == ["BN, ReLU", "global average pool", "dense 1000, softmax"]


def test_many_equal_paths_are_one_with_a_count():
    blocks = blocks_of("ResNeXt29", form="a")
    residue, shortcut = modules(blocks)["conv2_block2 to block3"].branches
    aggregation, _ = residue.items
    [path] = aggregation.branches
    assert (path.paths, len(path.items), shortcut.items) == (8, 3, ())


def test_side_heads_stand_behind_what_they_read():
    blocks = blocks_of("GoogLeNet", aux_logits=True)
    names = [getattr(block, "name", None) for block in blocks]
    assert names[names.index("aux1") - 1] == "inception_4a"
    assert names[names.index("aux2") - 1] == "inception_4d"
    [head] = [block for block in blocks if isinstance(block, SideHead) and block.name == "aux1"]
    assert texts(head.items) == [
        "5x5 average pool, /3",
        "1x1 conv, 128",
        "dense 1024, dropout 0.7",
        "dense 1000, softmax",
    ]
    assert texts(blocks)[-1] == "dense 1000, softmax"


def conv(name, size=1, filters=4):
    return layers.Conv2D(filters, size, padding="same", name=name)


def test_ways_of_a_branch_may_end_in_the_join_around_it():
    image = keras.Input((8, 8, 4))
    first, second = conv("m_a")(image), conv("m_b")(image)
    ends = [first, conv("m_b1", (1, 3))(second), conv("m_b2", (3, 1))(second), second]
    [_, module] = find_blocks(keras.Model(image, layers.Concatenate(name="m")(ends)))
    alone, forked = module.branches
    assert texts(alone.items) == ["1x1 conv, 4"]
    step, inner = forked.items
    assert (plain(step.text), inner.join) == ("1x1 conv, 4", None)
    assert [texts(branch.items) for branch in inner.branches] == [
        ["1x3 conv, 4"],
        ["3x1 conv, 4"],
        [],
    ]


def test_ways_that_cross_are_one_step():
    image = keras.Input((8, 8, 4))
    a, b = conv("a")(image), conv("b")(image)
    crossed = [layers.Add(name="c")([a, b]), layers.Multiply(name="d")([a, b])]
    output = layers.Concatenate(name="e")([*crossed, conv("f")(image)])
    [_, module] = find_blocks(keras.Model(image, output))
    assert [texts(branch.items) for branch in module.branches] == [
        ["4 layers whose ways cross"],
        ["1x1 conv, 4"],
    ]


def test_equal_modules_of_other_input_shapes_are_not_repeats():
    x = image = keras.Input((8, 8, 3))
    for i in (1, 2, 3):
        ends = [conv(f"m{i}_a", filters=8)(x), conv(f"m{i}_b", filters=8)(x)]
        x = layers.Concatenate(name=f"m{i}_concat")(ends)
    assert [module.repeats for module in modules(find_blocks(keras.Model(image, x))).values()] == [
        1,
        2,
    ]


def test_a_net_may_have_several_inputs():
    images = keras.Input((8, 8, 4)), keras.Input((8, 8, 2))
    model = keras.Model(images, layers.Concatenate()([conv("a")(images[0]), images[1]]))
    [module] = find_blocks(model)
    assert texts(module.branches[0].items) == ["input, 8 x 8 x 4", "1x1 conv, 4"]
    assert texts(module.branches[1].items) == ["input, 8 x 8 x 2"]


def test_outputs_that_share_nothing_are_side_heads():
    images = [keras.Input((8, 8, 4)) for _ in range(2)]
    ends = [conv("a2")(conv("a1")(images[0])), conv("b")(images[1])]
    *line, head = find_blocks(keras.Model(images, ends))
    assert texts(line)[1:] == ["1x1 conv, 4"] * 2
    assert texts(head.items)[1:] == ["1x1 conv, 4"]


def test_sizes_that_are_free_are_question_marks():
    step = blocks_of("Xception", include_top=False)[1]
    assert plain(shape_text(step.shape)) == "? x ? x 32"


def test_layers_must_be_known():
    class Unknown(keras.Model):
        pass

    with pytest.raises(InputError, match="functional models .* Received: Unknown 'net'"):
        find_blocks(Unknown(name="net"))
