"""torchvision's AlexNet and VGG nets, under our names."""

import functools

import torchvision
from torch import nn

from .recorder import Recorder


def alexnet() -> Recorder:
    """The net of "One weird trick", without local response normalization."""
    net = torchvision.models.alexnet()
    recorder = Recorder(net, 224)
    convs = [layer for layer in net.features if isinstance(layer, nn.Conv2d)]
    for i, conv in enumerate(convs, start=1):
        recorder.linear_conv(conv, f"conv{i}")
    for position, name in (
        (2, "pool1"),
        (5, "pool2"),
        (7, "conv3_act"),
        (9, "conv4_act"),
        (12, "pool5"),
    ):
        recorder.tap(net.features[position], name)
    dense_layers(recorder, net.classifier, ("fc6", "fc7", "predictions"), size=6)
    return recorder


def vgg(name: str) -> Recorder:
    """A net of 11, 13, 16 or 19 layers, with or without batch normalization."""
    net = getattr(torchvision.models, name)(init_weights=False)
    recorder = Recorder(net, 224)
    block, conv = 1, 0
    for layer in net.features:
        if isinstance(layer, nn.Conv2d):
            conv += 1
            recorder.linear_conv(layer, f"block{block}_conv{conv}")
        elif isinstance(layer, nn.BatchNorm2d):
            recorder.batch_norm(layer, f"block{block}_conv{conv}_bn")
        elif isinstance(layer, nn.MaxPool2d):
            recorder.tap(layer, f"block{block}_pool")
            block, conv = block + 1, 0
    dense_layers(recorder, net.classifier, ("fc1", "fc2", "predictions"), size=7)
    return recorder


def dense_layers(recorder: Recorder, classifier: nn.Sequential, names, size: int) -> None:
    """Fills and taps the dense layers that end a net, all but the last after their ReLU.

    Args:
        recorder: of the net.
        classifier: linear layers, ReLUs and dropouts.
        names: of our layers.
        size: height and width of the map that the first one takes.
    """
    linears = [layer for layer in classifier if isinstance(layer, nn.Linear)]
    relus = [layer for layer in classifier if isinstance(layer, nn.ReLU)]
    for linear, given, name in zip(linears, (*relus, linears[-1]), names, strict=True):
        recorder.dense(linear, name, size if linear is linears[0] else 1)
        recorder.tap(given, name)


NETS = {
    "alexnet": alexnet,
    **{
        f"vgg{layers}{end}": functools.partial(vgg, f"vgg{layers}{end}")
        for end in ("", "_bn")
        for layers in (11, 13, 16, 19)
    },
}
