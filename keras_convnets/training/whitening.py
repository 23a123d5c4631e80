"""What a net that whitens its images by itself has to know of them before it is trained."""

import dataclasses

import keras
import numpy as np

from keras_convnets.data import ZCA, Split, evaluation_batches, global_contrast_normalize
from keras_convnets.layers import ContrastWhitening
from keras_convnets.progress import counting
from keras_convnets.training.run import Run

# As many as CIFAR-10 has: more would hardly change a mean or a covariance.
MOST_IMAGES = 50_000

_BATCH = 1_000


def learn_whitening(
    model: keras.Model, run: Run, split: Split, quiet: bool
) -> list[keras.Variable]:
    """Fits the layer that whitens to training images, if a net has one.

    The images are what evaluation would see of them: augmentation has no part in it. Weights that
    a run starts from have what they were trained with.

    Args:
        model: the net.
        run: what it is trained in.
        split: the training images, of which a seeded part is read if there are very many.
        quiet: whether to show nothing.

    Returns:
        What the layer learned; nothing if there is none.
    """
    layer = next((each for each in model.layers if isinstance(each, ContrastWhitening)), None)
    if layer is None or run.recipe.weights.value is not None:
        return []
    settings = run.settings
    if len(split) > MOST_IMAGES:
        chosen = np.random.default_rng(settings.seed).permutation(len(split))[:MOST_IMAGES]
        split = split.take(np.sort(chosen))
    raw = dataclasses.replace(settings.preprocessing, mode="raw")
    batches = evaluation_batches(split, raw, _BATCH, classes=len(settings.classes))
    with counting("learning to whiten", len(split), quiet) as advance:

        def normalized():
            for images, _ in batches:
                yield global_contrast_normalize(images.numpy(), layer.scale, layer.epsilon)
                advance(len(images))

        zca = ZCA.fit(normalized())
    layer.learn(zca.mean, zca.matrix)
    return layer.weights
