"""The ResNets and ResNeXts of torchvision and timm, under our names."""

import functools
from collections.abc import Callable

import timm
import torchvision
from torch import nn

from .recorder import Recorder


def resnet(build: Callable[[], nn.Module]) -> Recorder:
    """A net of basic or bottleneck blocks, grouped or not."""
    net = build()
    recorder = Recorder(net, 224)
    recorder.linear_conv(net.conv1, "conv1_conv")
    recorder.batch_norm(net.bn1, "conv1_bn")
    recorder.tap_input(net.maxpool, "conv1_relu")
    for stage in (2, 3, 4, 5):
        for i, block in enumerate(getattr(net, f"layer{stage - 1}"), start=1):
            residual_block(recorder, block, f"conv{stage}_block{i}")
    recorder.head(net.fc, "predictions")
    return recorder


def residual_block(recorder: Recorder, block: nn.Module, name: str) -> None:
    """Fills a block and the convolution of its shortcut if that has one, and taps it."""
    convs = {
        i: (getattr(block, f"conv{i}"), getattr(block, f"bn{i}"))
        for i in (1, 2, 3)
        if hasattr(block, f"conv{i}")
    }
    if block.downsample is not None:
        convs[0] = block.downsample
    for i, (conv, bn) in convs.items():
        recorder.linear_conv(conv, f"{name}_{i}_conv")
        recorder.batch_norm(bn, f"{name}_{i}_bn")
    recorder.tap(block, f"{name}_out")


NETS = {
    **{
        name: functools.partial(resnet, getattr(torchvision.models, name))
        for name in (
            "resnet18",
            "resnet34",
            "resnet50",
            "resnet101",
            "resnet152",
            "resnext50_32x4d",
            "resnext101_64x4d",
            "resnext101_32x8d",
        )
    },
    # torchvision has none.
    "resnext101_32x4d": functools.partial(resnet, timm.models.resnext101_32x4d),
}
