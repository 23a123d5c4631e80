"""Makes the golden files: what the Torch nets give for weights that are drawn by name.

    python -m tests.architectures.goldens.make

from the root of the repository, in an environment of its own with torch, torchvision, timm,
pretrainedmodels (and six, which it forgets) and NumPy; the tests need no Torch. The files were made
with torch 2.14.1, torchvision 0.29.1, timm 1.0.31, pretrainedmodels 0.7.4 and NumPy 2.4.6, and each
says so under "made_with".

A net gets weights that are drawn under the names of our layers, and sees one drawn image, all in
float64. Its file has, for each map and all logits, 256 values and the shape, channels last.
"""

import importlib.metadata
import types

import numpy as np
import timm
import torch
import torchvision
from pretrainedmodels.models.bninception import BNInception
from torch import nn

from .drawing import draw, draw_image, sample, save_golden

POOL = 0  # convolutions of a branch that is a pool


class Recorder:
    """Fills a Torch net with weights drawn under our names, and records maps under our names.

    Args:
        net: a Torch net.
        size: height and width of its image.
    """

    def __init__(self, net: nn.Module, size: int):
        self.net = net.double().eval()
        self.size = size
        self.maps: dict[str, np.ndarray] = {}
        self._filled: set[int] = set()

    def tap(self, module: nn.Module, name: str) -> None:
        """Records what a module gives."""

        def record(_module, _inputs, output):
            channels_last = output[0].movedim(0, -1)
            self.maps[name] = channels_last.numpy().copy()

        module.register_forward_hook(record)

    def tap_input(self, module: nn.Module, name: str) -> None:
        """Records what a module takes."""

        def record(_module, inputs):
            self.maps[name] = inputs[0][0].movedim(0, -1).numpy().copy()

        module.register_forward_pre_hook(record)

    def stem(self, unit: nn.Module, name: str) -> None:
        """Fills a convolution with what follows it, and taps it."""
        self.conv(unit, name)
        self.tap(unit, f"{name}_act")

    def block(self, block: nn.Module, name: str, branches: tuple[int, ...], tap: str = "") -> None:
        """Fills the convolutions of a block, branch after branch, and taps it.

        Args:
            block: registers its convolutions in the order of our branches.
            name: of our block.
            branches: number of convolutions of each branch.
            tap: our layer that gives what the block gives; that of the block's name by default.
        """
        names = []
        for branch, count in enumerate(branches, start=1):
            prefix = f"{name}_branch{branch}_conv"
            names += [prefix] if count == 1 else [f"{prefix}{i}" for i in range(1, count + 1)]
        units = [unit for unit in block.modules() if hasattr(unit, "conv") and hasattr(unit, "bn")]
        for unit, conv_name in zip(units, names, strict=True):
            self.conv(unit, conv_name)
        self.tap(block, tap or name)

    def residual_block(self, block: nn.Module, name: str, branches, tap: str) -> None:
        """Fills and taps a block of Inception-ResNet, which ends in a linear convolution."""
        self.block(block, name, branches, tap)
        self.linear_conv(block.conv2d, f"{name}_conv")

    def conv(self, unit: nn.Module, name: str) -> None:
        """Fills a convolution and its batch normalization."""
        self.linear_conv(unit.conv, name)
        for role, tensor in (
            ("gamma", unit.bn.weight),
            ("beta", unit.bn.bias),
            ("moving_mean", unit.bn.running_mean),
            ("moving_variance", unit.bn.running_var),
        ):
            self._fill(tensor, draw(f"{name}_bn", role, tuple(tensor.shape)))

    def linear_conv(self, conv: nn.Conv2d, name: str) -> None:
        """Fills a convolution."""
        shape = (*conv.kernel_size, conv.in_channels, conv.out_channels)
        self._fill(conv.weight, draw(name, "kernel", shape).transpose(3, 2, 0, 1))
        self._fill_bias(conv, name)

    def dense(self, linear: nn.Linear, name: str, size: int = 1) -> None:
        """Fills a dense layer, on a flattened map of `size` x `size` if that is more than 1."""
        kernel = draw(name, "kernel", (linear.in_features, linear.out_features))
        # Torch flattens channels first.
        kernel = kernel.reshape(size, size, -1, linear.out_features).transpose(3, 2, 0, 1)
        self._fill(linear.weight, kernel.reshape(linear.out_features, linear.in_features))
        self._fill_bias(linear, name)

    def head(self, linear: nn.Linear, name: str) -> None:
        """Fills a classifier, and taps it."""
        self.dense(linear, name)
        self.tap(linear, name)

    def beside(self, auxiliary: nn.Module, module: nn.Module) -> None:
        """Runs an auxiliary head on what a module gives, as the net itself does in training only.

        The head stays in evaluation mode, without its dropout.
        """

        def run(_module, _inputs, output):
            auxiliary(output)

        module.register_forward_hook(run)

    def run(self) -> dict[str, np.ndarray]:
        """Returns every map of the drawn image.

        Raises:
            ValueError: if a tensor of the net was not drawn, or a map is as good as empty.
        """
        for name, tensor in self.net.state_dict(keep_vars=True).items():
            if id(tensor) not in self._filled and not name.endswith("num_batches_tracked"):
                raise ValueError(f"{name} was not drawn")
        image = torch.from_numpy(draw_image(self.size).transpose(0, 3, 1, 2))
        self.net(image)
        for name, values in self.maps.items():
            if np.count_nonzero(sample(name, values)) < 64:
                raise ValueError(f"{name} has almost no values but zero")
        return self.maps

    def _fill_bias(self, layer: nn.Module, name: str) -> None:
        if layer.bias is not None:
            self._fill(layer.bias, draw(name, "bias", tuple(layer.bias.shape)))

    def _fill(self, tensor: torch.Tensor, values: np.ndarray) -> None:
        if tuple(tensor.shape) != values.shape:
            raise ValueError(f"{tuple(tensor.shape)} can't take {values.shape}")
        if id(tensor) in self._filled:
            raise ValueError("a tensor was drawn twice")
        tensor.copy_(torch.from_numpy(np.ascontiguousarray(values)))
        self._filled.add(id(tensor))


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


def main() -> None:
    """Makes every file."""
    made_with = [
        f"{package} {importlib.metadata.version(package)}"
        for package in ("torch", "torchvision", "timm", "pretrainedmodels", "numpy")
    ]
    for build in (googlenet, inception_v2, inception_v3, inception_v4, inception_resnet_v2):
        maps = build().run()
        path = save_golden(build.__name__, maps, made_with)
        print(f"{path.name}: {len(maps)} maps, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
