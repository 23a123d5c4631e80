"""Draws the pictures of nets that the README and docs/nets.md show.

python scripts/draw_nets.py docs/images
"""

import sys
from pathlib import Path

from keras_convnets import get_model
from keras_convnets.analysis import compare
from keras_convnets.analysis.diagram import diagram
from keras_convnets.analysis.weightless import weightless

DIAGRAMS = ("GoogLeNet", "InceptionV4", "ResNeXt50", "Xception")
COMPARED = (
    *("AlexNet", "VGG16", "VGG19:batch_norm", "GoogLeNet", "InceptionV2", "InceptionV3"),
    *("InceptionV4", "InceptionResNetV2", "Xception", "ResNet18", "ResNet34", "ResNet50:v1.5"),
    *("ResNet101:v1.5", "ResNet152:v1.5", "ResNet200V2", "ResNeXt50", "ResNeXt101"),
    "ResNeXt101:64x4d",
)

if __name__ == "__main__":
    out = Path(sys.argv[1])
    for name in DIAGRAMS:
        picture = weightless(lambda name=name: diagram(get_model(name, weights=None), title=name))
        (out / f"{name.lower()}.png").write_bytes(picture.png(80))
    (out / "comparison.png").write_bytes(compare(COMPARED).png(80))
