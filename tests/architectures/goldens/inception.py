"""The Inception line of torchvision, timm and pretrainedmodels, under our names."""

import types

import timm
import torchvision
from pretrainedmodels.models.bninception import BNInception

from .recorder import Recorder

POOL = 0  # convolutions of a branch that is a pool


def googlenet() -> Recorder:
    """torchvision's, with both auxiliary heads."""
    net = torchvision.models.GoogLeNet(aux_logits=True, init_weights=False, transform_input=False)
    recorder = Recorder(net, 224)
    recorder.stem(net.conv1, "conv1")
    recorder.stem(net.conv2, "conv2_reduce")
    recorder.stem(net.conv3, "conv2")
    for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        recorder.block(getattr(net, f"inception{name}"), f"inception_{name}", (1, 2, 2, 1))
    for auxiliary, name, module in (
        (net.aux1, "aux1", net.inception4a),
        (net.aux2, "aux2", net.inception4d),
    ):
        recorder.conv(auxiliary.conv, f"{name}_conv")
        recorder.dense(auxiliary.fc1, f"{name}_fc", size=4)
        recorder.head(auxiliary.fc2, name)
        recorder.beside(auxiliary, module)
    recorder.head(net.fc, "predictions")
    return recorder


def inception_v2() -> Recorder:
    """Cadene's port of Caffe's BN-Inception, whose layers stand side by side in one module."""
    net = BNInception()
    recorder = Recorder(net, 224)

    def conv(theirs: str, ours: str) -> None:
        unit = types.SimpleNamespace(conv=getattr(net, theirs), bn=getattr(net, f"{theirs}_bn"))
        recorder.conv(unit, ours)

    for theirs, ours in (
        ("conv1_7x7_s2", "conv1"),
        ("conv2_3x3_reduce", "conv2_reduce"),
        ("conv2_3x3", "conv2"),
    ):
        conv(theirs, ours)
    plain = (("1x1",), ("3x3_reduce", "3x3"), ("double_3x3_reduce", "double_3x3_1", "double_3x3_2"))
    modules = ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
    for name in modules:
        is_reduction = name in ("3c", "4e")
        branches = plain[1:] if is_reduction else (*plain, ("pool_proj",))
        for i, branch in enumerate(branches, start=1):
            for j, step in enumerate(branch, start=1):
                ours = f"inception_{name}_branch{i}_conv{j if len(branch) > 1 else ''}"
                conv(f"inception_{name}_{step}", ours)
    recorder.tap_input(net.pool1_3x3_s2, "conv1_act")
    recorder.tap_input(net.pool2_3x3_s2, "conv2_act")
    for name, reader in zip(modules, (*modules[1:], None), strict=True):
        # What a module gives is what the next one's first reduction takes.
        taker = getattr(net, f"inception_{reader}_3x3_reduce") if reader else net.global_pool
        recorder.tap_input(taker, f"inception_{name}")
    recorder.head(net.last_linear, "predictions")
    return recorder


def inception_v3() -> Recorder:
    """torchvision's, with its auxiliary head."""
    net = torchvision.models.Inception3(aux_logits=True, init_weights=False, transform_input=False)
    recorder = Recorder(net, 299)
    recorder.stem(net.Conv2d_1a_3x3, "conv_1a")
    recorder.stem(net.Conv2d_2a_3x3, "conv_2a")
    recorder.stem(net.Conv2d_2b_3x3, "conv_2b")
    recorder.stem(net.Conv2d_3b_1x1, "conv_3b")
    recorder.stem(net.Conv2d_4a_3x3, "conv_4a")
    blocks = (
        *((name, (1, 2, 3, 1)) for name in ("5b", "5c", "5d")),
        ("6a", (1, 3, POOL)),
        *((name, (1, 3, 5, 1)) for name in ("6b", "6c", "6d", "6e")),
        ("7a", (2, 4, POOL)),
        *((name, (1, 3, 4, 1)) for name in ("7b", "7c")),
    )
    for i, (name, branches) in enumerate(blocks):
        recorder.block(getattr(net, f"Mixed_{name}"), f"mixed{i}", branches)
    recorder.conv(net.AuxLogits.conv0, "aux1_conv1")
    recorder.conv(net.AuxLogits.conv1, "aux1_conv2")
    recorder.head(net.AuxLogits.fc, "aux1")
    recorder.beside(net.AuxLogits, net.Mixed_6e)
    recorder.head(net.fc, "predictions")
    return recorder


def inception_v4() -> Recorder:
    """timm's."""
    net = timm.create_model("inception_v4", pretrained=False)
    recorder = Recorder(net, 299)
    recorder.stem(net.features[0], "conv_1a")
    recorder.stem(net.features[1], "conv_2a")
    recorder.stem(net.features[2], "conv_2b")
    blocks = (
        ("3a", (POOL, 1)),
        ("4a", (2, 4)),
        ("5a", (1, POOL)),
        *((name, (1, 2, 3, 1)) for name in ("5b", "5c", "5d", "5e")),
        ("6a", (1, 3, POOL)),
        *((name, (1, 3, 5, 1)) for name in ("6b", "6c", "6d", "6e", "6f", "6g", "6h")),
        ("7a", (2, 4, POOL)),
        *((name, (1, 3, 5, 1)) for name in ("7b", "7c", "7d")),
    )
    for block, (name, branches) in zip(net.features[3:], blocks, strict=True):
        recorder.block(block, f"mixed_{name}", branches)
    recorder.head(net.last_linear, "predictions")
    return recorder


def inception_resnet_v2() -> Recorder:
    """timm's, whose block without ReLU is our last block at 8 x 8."""
    net = timm.create_model("inception_resnet_v2", pretrained=False)
    recorder = Recorder(net, 299)
    for name in ("1a", "2a", "2b", "3b", "4a"):
        recorder.stem(getattr(net, f"conv2d_{name}"), f"conv_{name}")
    recorder.block(net.mixed_5b, "mixed_5b", (1, 2, 3, 1))
    for i, block in enumerate(net.repeat, start=1):
        recorder.residual_block(block, f"block35_{i}", (1, 2, 3), f"block35_{i}_ac")
    recorder.block(net.mixed_6a, "mixed_6a", (1, 3, POOL))
    for i, block in enumerate(net.repeat_1, start=1):
        recorder.residual_block(block, f"block17_{i}", (1, 3), f"block17_{i}_ac")
    recorder.block(net.mixed_7a, "mixed_7a", (2, 2, 3, POOL))
    for i, block in enumerate(net.repeat_2, start=1):
        recorder.residual_block(block, f"block8_{i}", (1, 3), f"block8_{i}_ac")
    recorder.residual_block(net.block8, "block8_10", (1, 3), "block8_10_add")
    recorder.conv(net.conv2d_7b, "conv_7b")
    recorder.tap(net.conv2d_7b, "conv_7b_ac")
    recorder.head(net.classif, "predictions")
    return recorder


NETS = {
    build.__name__: build
    for build in (googlenet, inception_v2, inception_v3, inception_v4, inception_resnet_v2)
}
