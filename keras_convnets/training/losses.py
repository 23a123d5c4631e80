"""What training minimizes: cross-entropy, of one label or of several, and the papers' L2."""

from collections.abc import Sequence

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="keras_convnets")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy in nats, with uniform label smoothing and weights of the classes.

    The target is (1 - s) * label + s / classes (Szegedy et al., arXiv 1512.00567, section 7), where
    a label is one-hot or a mixture of classes. An image counts as much as its class, or as the same
    mixture of them.

    Args:
        label_smoothing: s, in [0, 1).
        class_weights: what each class counts, or `None` if they count alike.
        name: name of the loss.
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
        name: str = "cross_entropy",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing
        self.class_weights = None if class_weights is None else tuple(class_weights)

    def call(self, y_true, y_pred):
        """Returns the loss of each image; `y_true` is (n,) integers or (n, classes)."""
        is_sparse = len(y_true.shape) < len(y_pred.shape)
        if is_sparse and not self.label_smoothing and self.class_weights is None:
            return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
        if is_sparse:
            y_true = keras.ops.one_hot(
                keras.ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype
            )
        losses = keras.losses.categorical_crossentropy(
            y_true, y_pred, label_smoothing=self.label_smoothing
        )
        if self.class_weights is None:
            return losses
        weights = keras.ops.convert_to_tensor(self.class_weights, y_pred.dtype)
        return losses * keras.ops.sum(keras.ops.cast(y_true, y_pred.dtype) * weights, axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "class_weights": self.class_weights,
        }


@keras.saving.register_keras_serializable(package="keras_convnets")
class BinaryCrossentropy(keras.losses.Loss):
    """Binary cross-entropy in nats, summed over the classes of an image.

    The Xception paper calls the head for JFT logistic regression (Chollet 2017, arXiv 1610.02357,
    figure 5), and says nothing of a sum or a mean. The sum is our choice: it is the negative
    logarithm of the probability of all labels of an image, and how fast a class learns does not
    depend on how many others there are, where a mean divides its gradient by 17,000. The RMSprop of
    the paper hardly feels the difference.

    The target is (1 - s) * label + s / 2. From the outputs of a sigmoid Keras takes the logits, so
    that the gradient of a probability that rounds to 0 or 1 does not vanish.

    Args:
        label_smoothing: s, in [0, 1).
        name: name of the loss.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "binary_cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        """Returns the loss of each image; `y_true` is (n, classes), in [0, 1]."""
        smoothing = self.label_smoothing
        target = keras.ops.cast(y_true, y_pred.dtype) * (1 - smoothing) + smoothing / 2
        return keras.ops.sum(keras.ops.binary_crossentropy(target, y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def best_is_label(y_true, y_pred):
    """Returns 1 for each image whose best class is among its labels, and 0 for others.

    Of mixed images a label counts from a share of one half on.

    Args:
        y_true: (n, classes), in [0, 1].
        y_pred: (n, classes).
    """
    best = keras.ops.argmax(y_pred, axis=-1)
    shares = keras.ops.take_along_axis(keras.ops.cast(y_true, "float32"), best[:, None], axis=1)
    return keras.ops.cast(shares[:, 0] >= 0.5, "float32")


def balanced_weights(labels: np.ndarray, classes: int) -> tuple[float, ...]:
    """Returns weights by which each class counts as much as any other, and the mean image 1.

    Args:
        labels: (n,) integers; each class is there.
        classes: number of classes.
    """
    counts = np.bincount(labels, minlength=classes)
    return tuple((len(labels) / (classes * counts)).tolist())


def add_l2(model: keras.Model, decay: float, scope: str) -> None:
    """Adds decay / 2 times the squared weights to the loss of a model that is not compiled yet.

    This is the papers' weight decay: its gradient, decay * w, joins the momentum like any other.
    Keras' own `weight_decay` is scaled by the rate and stays outside the momentum.

    Args:
        model: a built model; its saved form is not changed.
        decay: the paper's weight decay.
        scope: "kernels", or "all" trainable variables.
    """
    if not decay:
        return
    for variable in model.trainable_variables:
        if scope == "all" or "kernel" in variable.name:
            variable.regularizer = keras.regularizers.L2(decay / 2)
