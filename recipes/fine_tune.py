"""Fine-tuning: a net with trained weights learns the classes of your own images.

    keras-convnets train fine_tune --model InceptionV4 --data folder:DIR

Every value is a choice, for no paper has one for your images. First the new head alone learns, so
that its random weights do not undo what the trunk knows; then all layers do, at a low rate that
falls to nothing. Batch normalization keeps the statistics that the weights were trained with: a
few images are no better ones. Expected and cost: as good and as long as your images are many.
"""

from keras_convnets.data import FlipLeftRight, InceptionCrop
from keras_convnets.evaluation import CenterCrop
from keras_convnets.training import (
    SGD,
    Constant,
    Cosine,
    Epochs,
    HeadPhase,
    Recipe,
    choice,
)


def recipe() -> Recipe:
    """Returns the recipe."""
    return Recipe(
        model=choice("Xception", "a good net for its cost, with public weights; --model"),
        variant=choice(None, "that of the public weights"),
        model_options=choice({}, "those of the public weights"),
        weights=choice("imagenet", "the public weights of most nets; --weights"),
        data=choice("folder:images", "where your images lie is yours; --data folder:DIR"),
        input_size=choice(None, "what the weights were trained at"),
        classes=choice(None, "the folders of the data"),
        batch_size=choice(32, "fits in the memory of most machines"),
        length=choice(Epochs(15), "some hundred updates for a few hundred images"),
        head_phase=choice(
            HeadPhase(Epochs(3), Constant(0.01)), "until the random head has found its way"
        ),
        schedule=choice(
            Cosine(0.005, warmup=Epochs(1)), "a tenth of a usual first rate, for little is to move"
        ),
        freeze_until=choice(None, "all layers may move behind the head phase"),
        batch_norm_mode=choice("inference", "the statistics of few images are poor ones"),
        optimizer=choice(SGD(momentum=0.9), "what most of the public weights were trained with"),
        l2=choice(1e-4, "a usual decay; it is small beside what few epochs change"),
        l2_scope=choice("kernels", "scales and shifts are few"),
        dropout_rate=choice(0.2, "before the head, for the images are few"),
        label_smoothing=choice(0.0, "probabilities shall mean what they say"),
        class_weights=choice(None, "classes shall be as frequent as in your folders"),
        aux_weight=choice(None, "auxiliary heads help to train deep nets from random weights"),
        clip_norm=choice(None, "the rates are low"),
        ema=choice(None, "the rate falls to nothing, which averages as well"),
        early_stop=choice(None, "few held-out images tell poorly which epoch was the best"),
        batch_norm=choice(None, "the builder's"),
        initializer=choice(None, "the builder's; only the head starts from it"),
        augmentation=choice(
            (InceptionCrop(area=(0.35, 1.0)), FlipLeftRight()),
            "milder than GoogLeNet's crop, whose 8 % may miss the object",
        ),
        evaluation=choice(CenterCrop(0.875), "the usual crop for public weights"),
        parallelism=choice("sync", "one machine"),
        hardware=choice("one machine", "minutes on a GPU, an hour on a CPU"),
        results=choice({}, "they are those of your images"),
    )
