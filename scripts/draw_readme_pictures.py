"""Draws the README's pictures from a run of the default recipe.

python scripts/draw_readme_pictures.py RUN docs/images
"""

import sys
from pathlib import Path

import numpy as np

from keras_convnets import data, evaluation
from keras_convnets.analysis import plots
from keras_convnets.deployment import find_model
from keras_convnets.training import Run

if __name__ == "__main__":
    run, out = Run(sys.argv[1]), Path(sys.argv[2])
    model, card = find_model(run.path)
    images = data.load(run.recipe.data.value)
    _, split = images.held_back
    scores = evaluation.evaluate(model, data.evaluation_batches(split, card.preprocessing, 64))
    chosen = np.random.default_rng(run.settings.seed).permutation(len(split))[:16]
    grid = plots.prediction_grid(
        [split.image(i) for i in chosen],
        [images.classes[i] for i in scores.labels[chosen]],
        [images.classes[i] for i in scores.predicted[chosen]],
        scores.confidence[chosen],
    )
    (out / "curves.png").write_bytes(plots.curves(run.history).png(80))
    (out / "predictions.png").write_bytes(grid.png(80))
