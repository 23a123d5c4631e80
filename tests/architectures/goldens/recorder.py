"""Fills a Torch net with drawn weights, and records its maps."""

import numpy as np
import torch
from torch import nn

from .drawing import draw, draw_image, sample


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
        self.batch_norm(unit.bn, f"{name}_bn")

    def batch_norm(self, bn: nn.BatchNorm2d, name: str) -> None:
        """Fills a batch normalization."""
        for role, tensor in (
            ("gamma", bn.weight),
            ("beta", bn.bias),
            ("moving_mean", bn.running_mean),
            ("moving_variance", bn.running_var),
        ):
            self._fill(tensor, draw(name, role, tuple(tensor.shape)))

    def linear_conv(self, conv: nn.Conv2d, name: str) -> None:
        """Fills a convolution, grouped or not."""
        shape = (*conv.kernel_size, conv.in_channels // conv.groups, conv.out_channels)
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
