"""A trained net on other classes: a new head, and layers that stay as they are."""

from collections.abc import Callable, Collection

import keras

from keras_convnets._builder import dropout, global_average, head_dtype
from keras_convnets.errors import InputError, check_choice, check_number, nearest
from keras_convnets.recursion import deep_graphs

BATCH_NORM_MODES = ("inference", "train")


def replace_head(
    model: keras.Model,
    classes: int,
    *,
    activation: str | Callable | None = "softmax",
    dropout_rate: float = 0.0,
) -> keras.Model:
    """Returns a net with a new classifier on the layers of `model`, which both share.

    The last layer with weights makes room for a new one: the last dense layer of VGG and AlexNet,
    whose other two stay, and the last convolution of NIN. A dropout right before it goes too. A net
    without top, which is one that does not end in a layer `predictions`, gets a global average and
    a dense layer. Auxiliary heads are left out.

    Args:
        model: a functional model without models in it, such as a net of this package.
        classes: number of classes.
        activation: of the new head, which computes in float32 under a mixed-precision policy.
        dropout_rate: rate in [0, 1) before the new classifier.

    Returns:
        A `keras.Model` that ends in a layer `predictions`; it is not compiled.

    Raises:
        InputError: if an argument can't be used.

    Example:

    >>> net = keras_convnets.Xception(weights=None)
    >>> keras_convnets.transfer.replace_head(net, 5).output_shape
    (None, 5)
    """
    check_number("`classes`", classes, least=1, whole=True)
    check_number("`dropout_rate`", dropout_rate, least=0, below=1)
    _check_activation(activation)
    _check_flat(model)
    chain = _head(model)
    classifier = chain[0] if chain else None
    if classifier is None:
        x = _main_output(model)
        x = global_average(x) if len(x.shape) == 4 else x
    else:
        x = _before(model, classifier)
    x = dropout(x, dropout_rate)
    if classifier is None or len(classifier.output.shape) == 2:
        x = keras.layers.Dense(
            classes, activation=activation, dtype=head_dtype(), name="predictions"
        )(x)
    else:
        for layer in chain[:-1]:
            changed = {"filters": classes} if layer is classifier else {}
            x = type(layer).from_config({**layer.get_config(), **changed, "trainable": True})(x)
        x = keras.layers.Activation(activation, dtype=head_dtype(), name="predictions")(x)
    with deep_graphs():
        return keras.Model(model.input, x, name=model.name)


def freeze(model: keras.Model, until: str | None = None, batch_norm: str = "inference") -> None:
    """Sets which layers of a net learn; compile it afterwards, for Keras looks at that time only.

    What an earlier call froze thaws: `freeze(model, None, "train")` lets everything learn.

    Args:
        model: a functional model without models in it, such as a net of this package.
        until: name of a layer: it and all that it depends on keep their weights. `None` freezes
            no layer.
        batch_norm: "inference": every batch normalization computes with its moving statistics,
            and keeps them, its scale and its shift, whether it is frozen or not. "train": it
            computes with those of the batch and updates the moving ones, also where it is frozen;
            scale and shift learn where it is not.

    Raises:
        InputError: if there is no such layer or mode, or a model in the model.

    Example:

    >>> net = keras_convnets.Xception(weights=None)
    >>> keras_convnets.transfer.freeze(net, "block13_add")
    >>> [v.path for v in net.trainable_variables][-1]
    'predictions/bias'
    """
    check_choice("batch_norm", batch_norm, BATCH_NORM_MODES)
    _check_flat(model)
    if until is not None:
        check_layer(model, until, "until")
    frozen = _ancestors(model, until)
    for is_trainable in (False, True):  # a layer that is asked to stay what it is keeps variables
        model.trainable = is_trainable
    for layer in model.layers:
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        if is_norm and batch_norm == "train" and layer in frozen:
            # A layer that is not trainable would leave the batch's statistics alone.
            for variable in layer.trainable_variables:
                variable.trainable = False
        else:
            layer.trainable = layer not in frozen and not (is_norm and batch_norm == "inference")


def head_begin(model: keras.Model, new: Collection[str] = ()) -> str:
    """Returns the name of the layer with which the head begins.

    Args:
        model: a net with top.
        new: names of layers whose weights are random.

    Returns:
        The first of the new layers before the main output, or the classifier if it comes first.
    """
    with deep_graphs():
        main = keras.Model(model.input, _main_output(model)).layers
    classifier = _head(model)[0].name
    return next(layer.name for layer in main if layer.name in (*new, classifier))


def trunk_end(model: keras.Model, head: str) -> str:
    """Returns the name of the layer whose output the layer `head` takes."""
    return _layers_by_output(model)[id(_before(model, model.get_layer(head)))].name


def _main_output(model: keras.Model) -> keras.KerasTensor:
    return model.output["predictions"] if isinstance(model.output, dict) else model.output


def _layers_by_output(model: keras.Model) -> dict[int, keras.Layer]:
    return {id(layer.output): layer for layer in model.layers}


def _head(model: keras.Model) -> list[keras.Layer]:
    """The layers from the classifier to the main output; none if the net has no top."""
    layers = _layers_by_output(model)
    chain = [layers[id(_main_output(model))]]
    if chain[0].name != "predictions":
        return []
    while not chain[0].weights:
        chain.insert(0, layers[id(chain[0].input)])
    return chain


def _before(model: keras.Model, classifier: keras.Layer) -> keras.KerasTensor:
    """What the classifier takes, before a dropout of its own."""
    layer = _layers_by_output(model)[id(classifier.input)]
    return layer.input if isinstance(layer, keras.layers.Dropout) else classifier.input


def check_layer(
    model: keras.Model, name: str, argument: str, suggested: Collection[str] = ()
) -> None:
    """Makes sure that a model has a layer.

    Args:
        model: the model.
        name: what should be the name of one of its layers.
        argument: where the name was given, for the message.
        suggested: layers to name in the message; all of the model's if there are none.

    Raises:
        InputError: if it has none.
    """
    layers = [layer.name for layer in model.layers]
    if name not in layers:
        raise InputError(
            f"`{argument}` should name a layer of {model.name!r}, such as "
            f"{nearest(name, set(suggested) & set(layers) or layers)}. Received: {name!r}"
        )


def _check_flat(model: keras.Model) -> None:
    inner = next((layer for layer in model.layers if isinstance(layer, keras.Model)), None)
    if inner is not None:
        raise InputError(
            f"{model.name!r} has the model {inner.name!r} in it as one layer; use "
            f"{inner.name!r} itself, or build on its input and output: "
            "`keras.Model(inner.input, head(inner.output))`."
        )


def _check_activation(activation: str | Callable | None) -> None:
    try:
        keras.activations.get(activation)
    except (TypeError, ValueError) as error:
        raise InputError(
            "`activation` should be the name of a Keras activation, a function or None. "
            f"Received: {activation!r}"
        ) from error


def _ancestors(model: keras.Model, until: str | None) -> list[keras.Layer]:
    """A layer and all that its output depends on."""
    if until is None:
        return []
    with deep_graphs():
        return keras.Model(model.input, model.get_layer(until).output).layers
