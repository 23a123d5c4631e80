"""The texts that docstrings of builders share, and their lines."""

import inspect
import re
import textwrap
from collections.abc import Mapping

_WIDTH = 92

# The arguments that every builder has, described once and put into each builder's docstring.
_SHARED_ARGUMENTS = """include_top: bool, whether to put the classifier on.
        weights: `None` (random), `"imagenet"`, the name of weights that fit this graph
            (`weights.entries()`), or the path of a file.
        input_tensor: a Keras tensor to build on instead of a new input.
        input_shape: (height, width, channels), or (channels, height, width) with "channels_first";
            `None` stands for a size that is free.
        pooling: `None`, `"avg"` or `"max"`: what to do with the last feature map without the top.
        classes: int, number of classes.
        classifier_activation: name or callable; `None` returns the logits. The head computes in
            float32 under a mixed-precision policy.
        name: name of the model; layers keep their names."""

_RETURNS = """Returns:
        A `keras.Model`.

    Raises:
        InputError: if an argument can't be used (a `ValueError`)."""

# Options of many builders, each inserted where a docstring has its name in braces.
_SHARED_OPTIONS = {
    "width_multiplier": "scales every number of filters, in multiples of 8.",
    "small_input": 'no stride in the stem but its last and no "valid" layer, for 28 to 64 px: '
    "stride 8 in place of 32.",
    "residual_small_input": "a 3x3 convolution without strides for a stem, without a pool, for 28 "
    "to 64 px: a quarter of the stride.",
    "kernel_initializer": "initializer of every kernel but the classifiers'; an object is copied "
    "for each, with a seed of its own.",
    "batch_norm_momentum": "momentum of the moving statistics.",
    "include_preprocessing": "`True` for a net that takes pixels of 0 to 255 and scales them as "
    "its weights expect; or a mode of `imagenet_utils.preprocess_input`; or "
    '`"gcn_zca"` for `layers.ContrastWhitening`, which training fits to its images.',
}


def fill_in(docstring: str, texts: Mapping[str, str]) -> str:
    """Puts texts in the place of names in braces, and breaks the lines anew."""
    options = {
        key: f"{key.removeprefix('residual_')}: {text}" for key, text in _SHARED_OPTIONS.items()
    }
    for key, text in {**texts, **options}.items():
        docstring = docstring.replace(f"{{{key}}}", text)
    docstring = "\n\n".join(map(_wrap, inspect.cleandoc(docstring).split("\n\n")))
    for key, text in {"shared_arguments": _SHARED_ARGUMENTS, "returns": _RETURNS}.items():
        found = re.search(rf"^( *){{{key}}}", docstring, re.MULTILINE)
        if found:
            lines = textwrap.indent(inspect.cleandoc(text), found[1])
            docstring = docstring.replace(found[0], lines)
    return docstring


def _wrap(block: str) -> str:
    """Breaks the lines of a paragraph, or those of a list that are too long."""
    options = {"width": _WIDTH, "break_long_words": False, "break_on_hyphens": False}
    lines = block.splitlines()
    if not any(line.startswith((" ", ">>>")) for line in lines):
        return textwrap.fill(" ".join(lines), **options)
    wrapped = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        hanging = indent + ("    " if re.match(r" +\w+: ", line) else "")
        is_long = len(line) > _WIDTH
        wrapped += textwrap.wrap(line, subsequent_indent=hanging, **options) if is_long else [line]
    return "\n".join(wrapped)
