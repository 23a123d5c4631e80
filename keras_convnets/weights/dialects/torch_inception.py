"""The Inception line of torchvision, timm and Cadene."""

from keras_convnets.weights.dialects.torch_layers import StateDict

# The convolutions of each branch of a block, in the order of our branches.
Branches = tuple[tuple[str, ...], ...]


def _chain(branch: str, count: int) -> tuple[str, ...]:
    return tuple(f"{branch}.{i}" for i in range(count))


def _block(weights: StateDict, theirs: str, ours: str, branches: Branches) -> None:
    """Takes the convolutions of a block, each with its batch normalization."""
    for branch, convs in enumerate(branches, start=1):
        for i, conv in enumerate(convs, start=1):
            layer = f"{ours}_branch{branch}_conv{i if len(convs) > 1 else ''}"
            _unit(weights, f"{theirs}.{conv}", layer)


def _unit(weights: StateDict, theirs: str, ours: str) -> None:
    weights.conv_norm(f"{theirs}.conv", f"{theirs}.bn", ours)


def googlenet(weights: StateDict) -> None:
    """torchvision's; its auxiliary heads may be left out."""
    for theirs, ours in (("conv1", "conv1"), ("conv2", "conv2_reduce"), ("conv3", "conv2")):
        _unit(weights, theirs, ours)
    branches = (("branch1",), _chain("branch2", 2), _chain("branch3", 2), ("branch4.1",))
    for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        _block(weights, f"inception{name}", f"inception_{name}", branches)
    for name in ("aux1", "aux2"):
        if f"{name}.fc1" in weights:
            _unit(weights, f"{name}.conv", f"{name}_conv")
            weights.dense(f"{name}.fc1", f"{name}_fc", reads_a_map=True)
            weights.dense(f"{name}.fc2", name)
    weights.head("fc")


def bn_inception(weights: StateDict) -> None:
    """Cadene's copy of Caffe's BN-Inception, with Caffe's names."""

    def unit(theirs: str, ours: str) -> None:
        weights.conv_norm(theirs, f"{theirs}_bn", ours)

    unit("conv1_7x7_s2", "conv1")
    unit("conv2_3x3_reduce", "conv2_reduce")
    unit("conv2_3x3", "conv2")
    single = ("3x3_reduce", "3x3")
    double = ("double_3x3_reduce", "double_3x3_1", "double_3x3_2")
    for name in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        is_reduction = name in ("3c", "4e")
        branches = (single, double) if is_reduction else (("1x1",), single, double, ("pool_proj",))
        for branch, convs in enumerate(branches, start=1):
            for i, conv in enumerate(convs, start=1):
                ours = f"inception_{name}_branch{branch}_conv{i if len(convs) > 1 else ''}"
                unit(f"inception_{name}_{conv}", ours)
    weights.head("last_linear", "fc")


_V3_DOUBLE = tuple(f"branch3x3dbl_{i}" for i in (1, 2, 3))
_V3_A = (("branch1x1",), ("branch5x5_1", "branch5x5_2"), _V3_DOUBLE, ("branch_pool",))
_V3_B = (
    ("branch1x1",),
    tuple(f"branch7x7_{i}" for i in (1, 2, 3)),
    tuple(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)),
    ("branch_pool",),
)
_V3_C = (
    ("branch1x1",),
    tuple(f"branch3x3_{i}" for i in ("1", "2a", "2b")),
    tuple(f"branch3x3dbl_{i}" for i in ("1", "2", "3a", "3b")),
    ("branch_pool",),
)
_V3_BLOCKS: dict[str, Branches] = {
    **dict.fromkeys(("5b", "5c", "5d"), _V3_A),
    "6a": (("branch3x3",), _V3_DOUBLE),
    **dict.fromkeys(("6b", "6c", "6d", "6e"), _V3_B),
    "7a": (("branch3x3_1", "branch3x3_2"), tuple(f"branch7x7x3_{i}" for i in (1, 2, 3, 4))),
    **dict.fromkeys(("7b", "7c"), _V3_C),
}


def inception_v3(weights: StateDict) -> None:
    """torchvision's and timm's; the auxiliary head may be left out."""
    for name in ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3"):
        _unit(weights, f"Conv2d_{name}", f"conv_{name[:2]}")
    for i, (name, branches) in enumerate(_V3_BLOCKS.items()):
        _block(weights, f"Mixed_{name}", f"mixed{i}", branches)
    if "AuxLogits.fc" in weights:
        _unit(weights, "AuxLogits.conv0", "aux1_conv1")
        _unit(weights, "AuxLogits.conv1", "aux1_conv2")
        weights.dense("AuxLogits.fc", "aux1")
    weights.head("fc")


_A = (("branch0",), _chain("branch1", 2), _chain("branch2", 3), ("branch3.1",))
_B = (("branch0",), _chain("branch1", 3), _chain("branch2", 5), ("branch3.1",))
_V4_C = (
    ("branch0",),
    ("branch1_0", "branch1_1a", "branch1_1b"),
    ("branch2_0", "branch2_1", "branch2_2", "branch2_3a", "branch2_3b"),
    ("branch3.1",),
)
_V4_BLOCKS: dict[str, Branches] = {
    "3a": ((), ("conv",)),  # the first branch is a pool
    "4a": (_chain("branch0", 2), _chain("branch1", 4)),
    "5a": (("conv",),),
    **dict.fromkeys(("5b", "5c", "5d", "5e"), _A),
    "6a": (("branch0",), _chain("branch1", 3)),
    **dict.fromkeys(("6b", "6c", "6d", "6e", "6f", "6g", "6h"), _B),
    "7a": (_chain("branch0", 2), _chain("branch1", 4)),
    **dict.fromkeys(("7b", "7c", "7d"), _V4_C),
}


def inception_v4(weights: StateDict) -> None:
    """timm's, which is Cadene's: a port of TF-slim's net."""
    for i, name in enumerate(("1a", "2a", "2b")):
        _unit(weights, f"features.{i}", f"conv_{name}")
    for i, (name, branches) in enumerate(_V4_BLOCKS.items(), start=3):
        _block(weights, f"features.{i}", f"mixed_{name}", branches)
    weights.head("last_linear")


def inception_resnet_v2(weights: StateDict) -> None:
    """timm's, which is Cadene's but for the head: a port of TF-slim's net."""
    for name in ("1a", "2a", "2b", "3b", "4a"):
        _unit(weights, f"conv2d_{name}", f"conv_{name}")
    _block(weights, "mixed_5b", "mixed_5b", _A)
    _residual(weights, "repeat", "block35", 10, (("branch0",), *_A[1:3]))
    _block(weights, "mixed_6a", "mixed_6a", _V4_BLOCKS["6a"])
    _residual(weights, "repeat_1", "block17", 20, (("branch0",), _chain("branch1", 3)))
    pairs = (_chain("branch0", 2), _chain("branch1", 2), _chain("branch2", 3))
    _block(weights, "mixed_7a", "mixed_7a", pairs)
    _residual(weights, "repeat_2", "block8", 9, (("branch0",), _chain("branch1", 3)))
    _residual_block(weights, "block8", "block8_10", (("branch0",), _chain("branch1", 3)))
    _unit(weights, "conv2d_7b", "conv_7b")
    weights.head("classif", "last_linear")


def _residual(weights: StateDict, theirs: str, ours: str, count: int, branches: Branches) -> None:
    for i in range(count):
        _residual_block(weights, f"{theirs}.{i}", f"{ours}_{i + 1}", branches)


def _residual_block(weights: StateDict, theirs: str, ours: str, branches: Branches) -> None:
    _block(weights, theirs, ours, branches)
    weights.conv(f"{theirs}.conv2d", f"{ours}_conv")
