"""How TF-slim names the variables of its nets: by scopes, `InceptionV1/Mixed_3b/Branch_0/...`.

Layouts are those of Keras, but for dense layers that are convolutions of one pixel or of the whole
map. In a branch of an Inception module the convolutions stand in the order of what ends their
scopes (`Conv2d_0a_1x1`, `Conv2d_0b_3x3`), where slim itself slips: a 3x3 of InceptionV1 is
`Conv2d_0a_3x3`, and two convolutions of InceptionV3 begin with `Conv2d_0b` and `Conv_1_0c`.

In the checkpoints that slim released, the variables are the moving averages already, and none stand
beside them. In those of one's own training, averages are passed over, and so is the state of
optimizers: both have the names of variables with one scope more.
"""

import collections
import math
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial

import keras

from keras_convnets.errors import InputError
from keras_convnets.weights.tensors import Stored, Tensors

_VARIABLES = {
    "weights": "kernel",
    "depthwise_weights": "depthwise_kernel",
    "pointwise_weights": "pointwise_kernel",
    "biases": "bias",
}
_SEPARABLE = {"depthwise_weights", "pointwise_weights"}
_STATISTICS = {"beta", "moving_mean", "moving_variance"}
_NORM = "BatchNorm"
_DENSE = {"predictions", "aux1", "fc1", "fc2"}
_MEAN = "mean_rgb"  # what some nets take off their images
_CLASSES_WITH_BACKGROUND = 1001


def translate(stored: Mapping[str, Stored]) -> Tensors | None:
    """Names the variables of a net of TF-slim as our layers, in Keras' layout.

    Of 1,001 classes the first, the background, is left out.

    Args:
        stored: variables by name.

    Returns:
        Our tensors; a layer that is none of the net's keeps its scope as its name. `None` for
        other nets.

    Raises:
        InputError: if a variable of a layer is missing, or one is unknown.
    """
    net = next((net for net in _NETS if any(name.startswith(f"{net}/") for name in stored)), None)
    if net is None:
        return None
    layers: dict[str, dict[str, Stored]] = collections.defaultdict(dict)
    for name, tensor in stored.items():
        owner, _, variable = name.rpartition("/")
        if f"{owner}/".startswith(f"{net}/") and owner not in stored and variable != _MEAN:
            layers[owner.removeprefix(f"{net}/")][variable] = tensor
    for scope in [scope for scope in layers if scope.endswith(f"/{_NORM}")]:
        layers[scope.removesuffix(f"/{_NORM}")]  # there, even if it has no variable
    names = _NETS[net](layers)
    return {
        names.get(scope, scope): _layer(f"{net}/{scope}", names.get(scope), variables, layers)
        for scope, variables in layers.items()
    }


def check_pool(model: keras.Model) -> None:
    """Refuses a ResNet whose first pool is not where slim's is: shapes don't tell.

    Raises:
        InputError: if its windows begin a pixel before the map, as in all variants but "slim": so
            nets with other strides or another epsilon are refused as well.
    """
    pool = next((layer for layer in model.layers if layer.name == "pool1_pool"), None)
    if pool is not None and pool.padding != "same":
        raise InputError(
            f"The windows of the first pool of {model.name!r} begin a pixel before those of "
            "TF-slim's ResNets, so these weights would fit and give wrong results; build the net "
            'with `variant="slim"`.'
        )


def _layer(
    owner: str, ours: str | None, variables: Mapping[str, Stored], layers: Collection[str]
) -> dict[str, Stored]:
    """The variables of one layer by Keras' names; as they are if it is none of the net's."""
    if ours is None:
        return dict(variables)
    if ours.endswith("_bn"):
        wanted, known = _STATISTICS, _STATISTICS | {"gamma"}
    else:
        known = set(_SEPARABLE) if variables.keys() & _SEPARABLE else {"weights"}
        if f"{owner.partition('/')[2]}/{_NORM}" not in layers:
            known.add("biases")
        wanted = known
    for name in sorted(wanted - variables.keys()):
        raise InputError(f"A TF-slim net should have the variable {f'{owner}/{name}'!r}.")
    for name in sorted(variables.keys() - known):
        raise InputError(f"A TF-slim net should not have the variable {f'{owner}/{name}'!r}.")
    tensors = {_VARIABLES.get(name, name): tensor for name, tensor in variables.items()}
    return _dense(owner, tensors) if ours in _DENSE else tensors


def _dense(owner: str, tensors: dict[str, Stored]) -> dict[str, Stored]:
    """A dense layer, whose kernel slim may have as that of a convolution."""
    kernel, bias = tensors["kernel"], tensors["bias"]
    if len(kernel.shape) not in (2, 4) or kernel.shape[-1:] != bias.shape:
        raise InputError(
            f"The variables of the TF-slim layer {owner!r} should have as many biases as outputs. "
            f"Received: weights {kernel.shape}, biases {bias.shape}"
        )
    *inputs, outputs = kernel.shape
    kernel = kernel.reshaped(math.prod(inputs), outputs)
    if outputs == _CLASSES_WITH_BACKGROUND:
        kernel = kernel.then((kernel.shape[0], outputs - 1), lambda array: array[:, 1:])
        bias = bias.then((outputs - 1,), lambda array: array[1:])
    return {"kernel": kernel, "bias": bias}


def _inception(
    scopes: Collection[str], layers: Mapping[str, str], modules: Mapping[str, str]
) -> dict[str, str]:
    """Our names of the scopes of an Inception net.

    Args:
        scopes: those in a file.
        layers: our names of convolutions and dense layers that no branch of a module has.
        modules: our names of modules.
    """
    branches = collections.defaultdict(list)
    for scope in scopes:
        match = re.fullmatch(r"(.+)/Branch_(\d)/[^/]+", scope)
        if match and match[1] in modules:
            branches[f"{modules[match[1]]}_branch{int(match[2]) + 1}_conv"].append(scope)
    names = dict(layers)
    for name, convs in branches.items():
        convs.sort(key=lambda scope: re.search(r"\d[a-z]_\dx\d$|$", scope)[0])
        numbers = range(1, len(convs) + 1) if len(convs) > 1 else ("",)
        names |= {scope: f"{name}{i}" for scope, i in zip(convs, numbers, strict=True)}
    return names | {f"{scope}/{_NORM}": f"{name}_bn" for scope, name in names.items()}


def _residual(scopes: Collection[str]) -> dict[str, str]:
    """Our names of the scopes of a ResNet."""
    names = {"conv1": "conv1_conv", "logits": "predictions", "postnorm": "post_bn"}
    for scope in scopes:
        match = re.fullmatch(r"block(\d)/unit_(\d+)/bottleneck_v[12]/(.+)", scope)
        if match:
            unit = f"conv{int(match[1]) + 1}_block{match[2]}"
            ends = {"preact": "preact_bn", "shortcut": "0_conv"}
            ends |= {f"conv{i}": f"{i}_conv" for i in (1, 2, 3)}
            if match[3] in ends:
                names[scope] = f"{unit}_{ends[match[3]]}"
    norms = {f"{scope}/{_NORM}": f"{name[:-5]}_bn" for scope, name in names.items()}
    return names | norms


def _vgg(scopes: Collection[str]) -> dict[str, str]:
    """Our names of the scopes of a VGG net."""
    names = {"fc6": "fc1", "fc7": "fc2", "fc8": "predictions"}
    for scope in scopes:
        match = re.fullmatch(r"conv(\d)/conv\1_(\d)", scope)
        if match:
            names[scope] = f"block{match[1]}_conv{match[2]}"
    return names


def _modules(theirs: str, ours: str) -> dict[str, str]:
    """Modules by slim's names, given what follows "Mixed_" and our names."""
    pairs = zip(theirs.split(), ours.split(), strict=True)
    return {f"Mixed_{end}": name for end, name in pairs}


_FIRST_V1 = {
    "Conv2d_1a_7x7": "conv1",
    "Conv2d_2b_1x1": "conv2_reduce",
    "Conv2d_2c_3x3": "conv2",
}
_FIRST_V3 = {
    "Conv2d_1a_3x3": "conv_1a",
    "Conv2d_2a_3x3": "conv_2a",
    "Conv2d_2b_3x3": "conv_2b",
    "Conv2d_3b_1x1": "conv_3b",
    "Conv2d_4a_3x3": "conv_4a",
}
# From the scopes of residual blocks to our names; the last one alone is not repeated.
_BLOCKS = {
    **{f"Repeat/block35_{i}": f"block35_{i}" for i in range(1, 11)},
    **{f"Repeat_1/block17_{i}": f"block17_{i}" for i in range(1, 21)},
    **{f"Repeat_2/block8_{i}": f"block8_{i}" for i in range(1, 10)},
    "Block8": "block8_10",
}

_NETS: dict[str, Callable[[Collection[str]], dict[str, str]]] = {
    "InceptionV1": partial(
        _inception,
        layers={**_FIRST_V1, "Logits/Conv2d_0c_1x1": "predictions"},
        modules=_modules(
            "3b 3c 4b 4c 4d 4e 4f 5b 5c",
            "inception_3a inception_3b inception_4a inception_4b inception_4c inception_4d "
            "inception_4e inception_5a inception_5b",
        ),
    ),
    "InceptionV2": partial(
        _inception,
        layers={**_FIRST_V1, "Logits/Conv2d_1c_1x1": "predictions"},
        modules=_modules(
            "3b 3c 4a 4b 4c 4d 4e 5a 5b 5c",
            "inception_3a inception_3b inception_3c inception_4a inception_4b inception_4c "
            "inception_4d inception_4e inception_5a inception_5b",
        ),
    ),
    "InceptionV3": partial(
        _inception,
        layers={
            **_FIRST_V3,
            "AuxLogits/Conv2d_1b_1x1": "aux1_conv1",
            "AuxLogits/Conv2d_2a_5x5": "aux1_conv2",
            "AuxLogits/Conv2d_2b_1x1": "aux1",
            "Logits/Conv2d_1c_1x1": "predictions",
        },
        modules=_modules(
            "5b 5c 5d 6a 6b 6c 6d 6e 7a 7b 7c",
            " ".join(f"mixed{i}" for i in range(11)),
        ),
    ),
    "InceptionV4": partial(
        _inception,
        layers={
            **_FIRST_V3,
            "AuxLogits/Conv2d_1b_1x1": "aux1_conv1",
            "AuxLogits/Conv2d_2a": "aux1_conv2",
            "AuxLogits/Aux_logits": "aux1",
            "Logits/Logits": "predictions",
        },
        modules={
            f"Mixed_{stage}{letter}": f"mixed_{stage}{letter}"
            for stage, letters in {3: "a", 4: "a", 5: "abcde", 6: "abcdefgh", 7: "abcd"}.items()
            for letter in letters
        },
    ),
    "InceptionResnetV2": partial(
        _inception,
        layers={
            **_FIRST_V3,
            **{f"{scope}/Conv2d_1x1": f"{name}_conv" for scope, name in _BLOCKS.items()},
            "Conv2d_7b_1x1": "conv_7b",
            "AuxLogits/Conv2d_1b_1x1": "aux1_conv1",
            "AuxLogits/Conv2d_2a_5x5": "aux1_conv2",
            "AuxLogits/Logits": "aux1",
            "Logits/Logits": "predictions",
        },
        modules={**_BLOCKS, **_modules("5b 6a 7a", "mixed_5b mixed_6a mixed_7a")},
    ),
    **{f"resnet_v{version}_{depth}": _residual for version in (1, 2) for depth in (50, 101, 152)},
    **{f"vgg_{depth}": _vgg for depth in (16, 19)},
}
