"""Makes the goldens of Caffe's own nets, GoogLeNet and AlexNet.

    python -m tests.weights.peers.make_caffe

from the root of the repository, in an environment with opencv-python-headless<5 (5 reads no Caffe
files any more) and NumPy. OpenCV computes in float32, so that the logits come from the layers below
in float64, once OpenCV has been found to give the same from a written file.
"""

import dataclasses
import importlib.metadata
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .drawing import Golden, draw, draw_image
from .write_caffe import write


@dataclasses.dataclass(frozen=True)
class Layer:
    """A layer of a deploy prototxt, and what it does in float64.

    Attributes:
        name: of the layer and of its output.
        kind: the type in the prototxt.
        inputs: names of the layers before it.
        options: of its parameter message.
        rectified: whether a ReLU follows.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    options: dict[str, int | float | str]
    rectified: bool = False

    def prototxt(self) -> str:
        """The text of the layer."""
        message = {
            "Convolution": "convolution_param",
            "InnerProduct": "inner_product_param",
            "LRN": "lrn_param",
            "Pooling": "pooling_param",
            "Concat": "concat_param",
        }[self.kind]
        bottoms = "".join(f' bottom: "{name}"' for name in self.inputs)
        options = " ".join(f"{key}: {value}" for key, value in self.options.items())
        text = (
            f'layer {{ name: "{self.name}" type: "{self.kind}"{bottoms} top: "{self.name}" '
            f"{message} {{ {options} }} }}\n"
        )
        if self.rectified:
            text += (
                f'layer {{ name: "{self.name}/relu" type: "ReLU" bottom: "{self.name}" '
                f'top: "{self.name}" }}\n'
            )
        return text

    def shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Shapes of its blobs, given that of its input, (channels, height, width)."""
        if self.kind == "InnerProduct":
            kernel = self.options["num_output"], int(np.prod(shape))
        elif self.kind == "Convolution":
            size = self.options["kernel_size"]
            channels = shape[0] // self.options.get("group", 1)
            kernel = self.options["num_output"], channels, size, size
        else:
            return {}
        return {f"{self.name}/0": kernel, f"{self.name}/1": kernel[:1]}

    def run(self, x: list[np.ndarray], tensors: dict[str, np.ndarray]) -> np.ndarray:
        """The output for inputs (channels, height, width), in their precision."""
        if self.kind == "Concat":
            return np.concatenate(x)
        if self.kind == "LRN":
            return lrn(x[0], self.options)
        if self.kind == "Pooling":
            return pool(x[0], self.options)
        kernel, bias = tensors[f"{self.name}/0"], tensors[f"{self.name}/1"]
        if self.kind == "InnerProduct":
            y = kernel @ x[0].ravel() + bias
        else:
            y = convolve(x[0], kernel, self.options) + bias[:, None, None]
        return np.maximum(y, 0) if self.rectified else y


def convolve(x, kernel, options):
    """A convolution in groups."""
    groups, pad = options.get("group", 1), options.get("pad", 0)
    stride, size = options.get("stride", 1), options["kernel_size"]
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    ends = []
    for part, own in zip(np.split(x, groups), np.split(kernel, groups), strict=True):
        windows = sliding_window_view(part, (size, size), axis=(1, 2))[:, ::stride, ::stride]
        ends.append(np.einsum("chwij,ocij->ohw", windows, own, optimize=True))
    return np.concatenate(ends)


def pool(x, options):
    """Pooling of Caffe: the last window may reach over the edge."""
    size, stride, pad = options["kernel_size"], options.get("stride", 1), options.get("pad", 0)
    length = x.shape[1]
    out = -(-(length + 2 * pad - size) // stride) + 1
    far = (out - 1) * stride + size - length - pad
    is_max = options["pool"] == "MAX"
    if not is_max and (pad or far):
        raise ValueError("Averages over the edge are none of these nets'.")
    x = np.pad(x, ((0, 0), (pad, far), (pad, far)), constant_values=-np.inf)
    windows = sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    return windows.max((3, 4)) if is_max else windows.mean((3, 4))


def lrn(x, options):
    """Local response normalization across channels; Caffe divides alpha by the size."""
    size = options["local_size"]
    squares = np.pad(x**2, ((size // 2, size // 2), (0, 0), (0, 0)))
    sums = sliding_window_view(squares, size, axis=0).sum(-1)
    return x / (1 + options["alpha"] / size * sums) ** options["beta"]


class Net:
    """A net under construction, layer after layer."""

    def __init__(self):
        self.layers: list[Layer] = []

    def add(self, name, kind, inputs, rectified=False, **options) -> str:
        """Adds a layer and returns its name."""
        inputs = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        self.layers.append(Layer(name, kind, inputs, options, rectified))
        return name

    def conv(self, x, name, filters, size, **options) -> str:
        """A convolution with ReLU."""
        options = {"num_output": filters, "kernel_size": size, **options}
        return self.add(name, "Convolution", x, rectified=True, **options)

    def dense(self, x, name, units, rectified=True) -> str:
        """A dense layer."""
        return self.add(name, "InnerProduct", x, rectified=rectified, num_output=units)

    def pool(self, x, name, size, stride, pool="MAX", **options) -> str:
        """Pooling."""
        options = {"pool": pool, "kernel_size": size, "stride": stride, **options}
        return self.add(name, "Pooling", x, **options)

    def lrn(self, x, name) -> str:
        """Local response normalization with the constants of both nets."""
        return self.add(name, "LRN", x, local_size=5, alpha=1e-4, beta=0.75)


def alexnet() -> Net:
    """BVLC/caffe models/bvlc_alexnet/deploy.prototxt."""
    net = Net()
    x = net.conv("data", "conv1", 96, 11, stride=4)
    x = net.pool(net.lrn(x, "norm1"), "pool1", 3, 2)
    x = net.conv(x, "conv2", 256, 5, pad=2, group=2)
    x = net.pool(net.lrn(x, "norm2"), "pool2", 3, 2)
    x = net.conv(x, "conv3", 384, 3, pad=1)
    x = net.conv(x, "conv4", 384, 3, pad=1, group=2)
    x = net.conv(x, "conv5", 256, 3, pad=1, group=2)
    x = net.pool(x, "pool5", 3, 2)
    x = net.dense(net.dense(x, "fc6", 4096), "fc7", 4096)
    net.dense(x, "fc8", 1000, rectified=False)
    return net


# 1409.4842, table 1: 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet() -> Net:
    """BVLC/caffe models/bvlc_googlenet/train_val.prototxt: with its auxiliary heads."""
    net = Net()
    x = net.conv("data", "conv1/7x7_s2", 64, 7, pad=3, stride=2)
    x = net.lrn(net.pool(x, "pool1/3x3_s2", 3, 2), "pool1/norm1")
    x = net.conv(x, "conv2/3x3_reduce", 64, 1)
    x = net.conv(x, "conv2/3x3", 192, 3, pad=1)
    x = net.pool(net.lrn(x, "conv2/norm2"), "pool2/3x3_s2", 3, 2)
    for module, filters in MODULES.items():
        x = inception(net, x, f"inception_{module}", filters)
        if module in ("3b", "4e"):
            x = net.pool(x, f"pool{module[0]}/3x3_s2", 3, 2)
        if module in ("4a", "4d"):
            auxiliary(net, x, "loss1" if module == "4a" else "loss2")
    x = net.pool(x, "pool5/7x7_s1", 7, 1, pool="AVE")
    net.dense(x, "loss3/classifier", 1000, rectified=False)
    return net


def inception(net: Net, x: str, name: str, filters: tuple[int, ...]) -> str:
    """An Inception module."""
    one, reduce3, three, reduce5, five, project = filters
    ends = [net.conv(x, f"{name}/1x1", one, 1)]
    reduced = net.conv(x, f"{name}/3x3_reduce", reduce3, 1)
    ends.append(net.conv(reduced, f"{name}/3x3", three, 3, pad=1))
    reduced = net.conv(x, f"{name}/5x5_reduce", reduce5, 1)
    ends.append(net.conv(reduced, f"{name}/5x5", five, 5, pad=2))
    pooled = net.pool(x, f"{name}/pool", 3, 1, pad=1)
    ends.append(net.conv(pooled, f"{name}/pool_proj", project, 1))
    return net.add(f"{name}/output", "Concat", ends, axis=1)


def auxiliary(net: Net, x: str, name: str) -> None:
    """A side head."""
    x = net.pool(x, f"{name}/ave_pool", 5, 3, pool="AVE")
    x = net.dense(net.conv(x, f"{name}/conv", 128, 1), f"{name}/fc", 1024)
    net.dense(x, f"{name}/classifier", 1000, rectified=False)


def run(net: Net, image: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The tensors of a net, and the outputs of its layers in float64."""
    outputs, tensors = {"data": image}, {}
    for layer in net.layers:
        inputs = [outputs[name] for name in layer.inputs]
        for name, shape in layer.shapes(inputs[0].shape).items():
            tensors[name] = draw(name, shape)
        outputs[layer.name] = layer.run(inputs, tensors)
    return tensors, outputs


def run_opencv(net: Net, image: np.ndarray, tensors, generation: str, names: list[str]):
    """The outputs of layers as OpenCV computes them from a written file."""
    lengths = " ".join(f"dim: {length}" for length in (1, *image.shape))
    text = f'input: "data" input_shape {{ {lengths} }}\n'
    text += "".join(layer.prototxt() for layer in net.layers)
    with tempfile.TemporaryDirectory() as folder:
        weights, prototxt = Path(folder, "net.caffemodel"), Path(folder, "deploy.prototxt")
        write(weights, tensors, generation)
        prototxt.write_text(text)
        peer = cv2.dnn.readNetFromCaffe(str(prototxt), str(weights))
    peer.setInput(image[None].astype(np.float32))
    return [output[0].ravel() for output in peer.forward(names)]


def make(name: str, net: Net, size: int, outputs_of: dict[str, str]) -> None:
    """Writes the goldens of one net: of its classifier, and of each side head."""
    image = draw_image(size)[0].transpose(2, 0, 1)
    tensors, outputs = run(net, image)
    layers = list(outputs_of.values())
    for generation in ("v1", "v2"):  # OpenCV reads no blobs from "v0"
        theirs = run_opencv(net, image, tensors, generation, layers)
        for layer, logits in zip(layers, theirs, strict=True):
            error = np.abs(logits - outputs[layer]).max() / np.abs(outputs[layer]).max()
            print(f"{name} {generation} {layer}: OpenCV differs by {error:.1e}")
            assert error < 1e-5
    versions = [
        f"{package} {importlib.metadata.version(package)}"
        for package in ("opencv-python-headless", "numpy")
    ]
    for golden, layer in outputs_of.items():
        head = "" if layer == layers[0] else f"{layer.split('/')[0]}/"
        shapes = {key: array.shape for key, array in tensors.items() if key.startswith(head)}
        Golden(shapes, size, outputs[layer], ", ".join(versions)).save(golden)


if __name__ == "__main__":
    make("AlexNet", alexnet(), 227, {"caffe_bvlc_alexnet": "fc8"})
    heads = {
        "caffe_bvlc_googlenet": "loss3/classifier",
        "caffe_bvlc_googlenet_aux1": "loss1/classifier",
        "caffe_bvlc_googlenet_aux2": "loss2/classifier",
    }
    make("GoogLeNet", googlenet(), 224, heads)
