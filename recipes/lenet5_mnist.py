"""LeNet-5 on MNIST (LeCun, Bottou, Bengio, Haffner 1998, Proceedings of the IEEE 86(11)).

    keras-convnets train lenet5_mnist --data mnist:IDX_FOLDER

Expected (paper, section III.B): test error 0.95 % after 20 passes over 60,000 digits.
Cost: 1.2 million steps of one image. Not run here: it needs MNIST, which TensorFlow Datasets
downloads by itself for `--data mnist`, without a folder.
Departures: plain gradient descent with the paper's global rates takes the place of its
second-order rule, which divides them by an estimate of the curvature; the loss is the
cross-entropy of a softmax over minus the distances, which is the paper's discriminative criterion
(equation 9) without its constant rubbish class.
"""

from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import SGD, Epochs, P, Piecewise, Recipe, choice


def recipe() -> Recipe:
    """Returns the recipe of sections II and III."""
    return Recipe(
        model=P("LeNet5", "figure 2"),
        variant=P("paper", "section II.B"),
        model_options=P({}, "section II.B"),
        data=P("mnist", "section III.A"),
        input_size=P(32, "figure 2"),
        classes=P(10, "section III.A"),
        batch_size=P(1, "section III.B: an update after every pattern"),
        length=P(Epochs(20), "section III.B"),
        schedule=choice(
            Piecewise(
                (5e-4, 2e-4, 1e-4, 5e-5, 1e-5),
                (Epochs(2), Epochs(3), Epochs(3), Epochs(4)),
            ),
            "the paper's eta by pass (section III.B), without its second-order scaling",
        ),
        optimizer=choice(
            SGD(momentum=0.0), "the paper scales each step by a diagonal second derivative"
        ),
        l2=choice(0.0, "none is stated"),
        l2_scope=choice("kernels", "no effect without a decay"),
        dropout_rate=choice(0.0, "not known then"),
        label_smoothing=choice(0.0, "not known then"),
        aux_weight=P(None, "figure 2: one output"),
        clip_norm=choice(None, "none is stated"),
        ema=choice(None, "none is stated"),
        batch_norm=choice(None, "not known then"),
        initializer=P(None, "the builder's: uniform in 2.4 / fan-in (appendix A)"),
        augmentation=P((), "section III.B: the 0.95 % are without distortions"),
        evaluation=P(CenterCrop(32 / 28), "section III.A: 28 pixels centred in 32"),
        parallelism=choice("sync", "the paper knows one processor"),
        hardware=choice("one processor", "the paper's machine is not recorded in this package"),
        results=P({"top1": 0.9905}, "section III.B"),
    )
