"""What training minimizes: cross-entropy on integer labels, and the papers' L2."""

import keras


@keras.saving.register_keras_serializable(package="keras_convnets")
class SparseSmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy in nats of integer labels, with uniform label smoothing.

    The target is (1 - s) * onehot + s / classes (Szegedy et al., arXiv 1512.00567, section 7).

    Args:
        label_smoothing: s, in [0, 1).
        name: name of the loss.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        if not self.label_smoothing:
            return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
        target = keras.ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)
        return keras.losses.categorical_crossentropy(
            target, y_pred, label_smoothing=self.label_smoothing
        )

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


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
        if scope == "all" or variable.name.endswith("kernel"):
            variable.regularizer = keras.regularizers.L2(decay / 2)
