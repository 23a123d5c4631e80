"""Counts parameters and multiply-adds of the nets and of the options that change them.

python scripts/count_nets.py

The figures that the papers and the public nets have stand in docs/nets.md and in the tests.
"""

import rich.box
import rich.console
import rich.table

from keras_convnets import count_complexity, get_model, list_models
from keras_convnets._registry import find_architecture

OPTIONS = (
    ("GoogLeNet", {"aux_logits": True}),
    ("GoogLeNet", {"separable_stem": True}),
    ("GoogLeNet", {"batch_norm": True, "batch_norm_scale": True}),
    ("GoogLeNet:torchvision", {"aux_logits": True}),
    ("GoogLeNet:slim", {"include_top": False}),
    ("InceptionV2", {"include_top": False}),
    ("InceptionV2:caffe", {"conv_bias": True}),
    ("InceptionV3", {"include_top": False}),
    ("InceptionV3", {"batch_norm_scale": True}),
    ("InceptionV3", {"batch_norm_scale": True, "aux_logits": True}),
    ("InceptionV4", {"batch_norm_scale": True}),
    ("InceptionV4", {"batch_norm_scale": True, "aux_logits": True}),
    ("InceptionResNetV1", {"batch_norm_scale": True}),
    ("InceptionResNetV2", {"batch_norm_scale": True}),
    ("InceptionResNetV2:paper", {"batch_norm_scale": True}),
    *(("Xception", {"segments": segments}) for segments in (1, 2, 4, 8, 32, 128, 2048)),
)

if __name__ == "__main__":
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("net")
    for column in ("trainable", "with statistics", "multiply-adds"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, options in sorted([(name, {}) for name in list_models()] + list(OPTIONS), key=str):
        shape = find_architecture(name)[0].input_shape
        cost = count_complexity(get_model(name, weights=None, input_shape=shape, **options))
        label = " ".join([name, *(f"{option}={value}" for option, value in options.items())])
        table.add_row(label, f"{cost.trainable:,}", f"{cost.total:,}", f"{cost.macs:,}")
    rich.console.Console().print(table)
