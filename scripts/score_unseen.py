"""Scores runs on the 9,000 test images of the full Fashion-MNIST that are not in the embedded set.

python scripts/score_unseen.py RUN_OR_MODEL...

The default recipe was picked with the 1,000 embedded test images in view; no choice saw these.
"""

import statistics
import sys

import numpy as np

from keras_convnets import data, evaluation
from keras_convnets.deployment import find_model

if __name__ == "__main__":
    embedded = {image.tobytes() for image in data.load("fashion_mnist_6k").test.images}
    full = data.load("fashion_mnist").test
    unseen = full.take([i for i, x in enumerate(full.images) if x.tobytes() not in embedded])
    scores = []
    for source in sys.argv[1:]:
        model, card = find_model(source)
        batches = data.evaluation_batches(unseen, card.preprocessing, 256)
        scores.append(evaluation.evaluate(model, batches).top1)
        print(f"{source}: top-1 {scores[-1]:.1%} on {len(unseen):,} images")
    print(f"median {statistics.median(scores):.1%}, least {np.min(scores):.1%}")
