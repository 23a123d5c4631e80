"""Makes the goldens of ONNX files: graphs without their weights, and logits for drawn ones.

    python -m tests.weights.peers.make_onnx [NET ...]

from the root of the repository; the nets of torchvision and timm in an environment with torch,
torchvision, timm, onnx and onnxscript, those of Keras in one with this package, onnx and tf2onnx.
The exporters get nets with drawn weights, for they merge tensors that are equal. The logits are
those of ONNX' own reference evaluator, in float64, from the tensors that are drawn under the names
in the file; only its max pools are replaced, for they give too many rows in ceil mode (1.23).
"""

import argparse
import gzip
import importlib.metadata
import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from .drawing import Golden, draw, draw_image
from .write_onnx import graph_file, model_of

# Operators whose constants are weights.
_WEIGHTED = ("Conv", "BatchNormalization", "Gemm", "MatMul", "Add")

# The builder, how it is exported, and the size of the image.
# Images are small where that makes no difference. Xception's size is one at which Torch and Keras
# pad alike.
TORCH = {
    "onnx_resnet18": ("torchvision", "resnet18", "kept", 64),
    "onnx_resnet18_folded": ("torchvision", "resnet18", "folded", 64),
    "onnx_googlenet_dynamo": ("torchvision", "googlenet", "dynamo", 96),
    "onnx_inception_v3": ("torchvision", "inception_v3", "kept", 107),
    "onnx_resnext50": ("torchvision", "resnext50_32x4d", "folded", 64),
    "onnx_xception": ("timm", "legacy_xception", "kept", 71),
}
KERAS = {
    "onnx_keras_googlenet": (
        "GoogLeNet",
        {"aux_logits": True, "width_multiplier": 0.25, "input_shape": (128, 128, 3)},
    ),
    "onnx_keras_resnet50v2": (
        "ResNet50V2",
        {"width_multiplier": 0.125, "input_shape": (64, 64, 3)},
    ),
}


class MaxPool(OpRun):
    """Max pooling of maps; the last window may reach over the edge in ceil mode."""

    def _run(self, x, kernel_shape, strides, pads=None, ceil_mode=None, **_):
        windows = x
        for axis in (2, 3):
            begin, end = (pads[axis - 2], pads[axis]) if pads else (0, 0)
            size, stride = kernel_shape[axis - 2], strides[axis - 2]
            rest = (windows.shape[axis] + begin + end - size) % stride
            far = end + (stride - rest if ceil_mode and rest else 0)
            widths = [(0, 0)] * windows.ndim
            widths[axis] = (begin, far)
            padded = np.pad(windows, widths, constant_values=-np.inf)
            steps = (slice(None),) * axis + (slice(None, None, stride),)
            windows = sliding_window_view(padded, size, axis)[steps].max(-1)
        return (windows,)


def export_torch(source: str, name: str, how: str, size: int, path: Path) -> tuple[str, ...]:
    """Exports a Torch net; returns the packages that did it.

    Args:
        source: "torchvision" or "timm".
        name: of the net there.
        how: "kept" or "folded", which is what becomes of batch normalization in the exporter that
            traces; or "dynamo", the exporter that is now Torch's own choice.
        size: of the image in pixels.
        path: of the file.
    """
    import timm
    import torch
    import torchvision

    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if source == "torchvision":
        net = torchvision.models.get_model(name, weights=None, **options)
    else:
        net = timm.create_model(name)
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    net.load_state_dict({name: torch.from_numpy(draw(name, s)) for name, s in shapes.items()})
    options = {
        "kept": {"dynamo": False, "do_constant_folding": False,
                 "training": torch.onnx.TrainingMode.PRESERVE},
        "folded": {"dynamo": False},
        "dynamo": {"dynamo": True, "external_data": False},
    }[how]  # fmt: skip
    torch.onnx.export(net.eval(), (torch.zeros(1, 3, size, size),), path, **options)
    return "torch", source, "onnxscript"


def export_keras(builder: str, options: dict, path: Path) -> tuple[str, ...]:
    """Exports one of our nets by Keras; returns the packages that did it."""
    import keras_convnets

    net = keras_convnets.get_model(builder, weights=None, classifier_activation=None, **options)
    for variable in net.weights:
        shape = tuple(variable.shape)
        variable.assign(draw(variable.path, shape))
    net(np.zeros((1, *net.input.shape[1:]), "float32"))
    net.export(path, format="onnx", verbose=False)
    return "tensorflow", "keras", "tf2onnx"


def name_statistics(graph: onnx.GraphProto) -> None:
    """Gives the statistics of batch normalizations names that say what can be drawn for them."""
    ends = {1: "/gamma", 4: "/variance"}
    names = {
        node.input[i]: f"{node.input[i]}{end}"
        for node in graph.node
        if node.op_type == "BatchNormalization" and "var" not in node.input[4]
        for i, end in ends.items()
    }
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]


def strip(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Takes the weights and all remarks out of a model; returns the shapes of the weights."""
    graph = model.graph
    name_statistics(graph)
    used = {name for node in graph.node if node.op_type in _WEIGHTED for name in node.input}
    shapes = {}
    for tensor in graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]
        is_weight = tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) > 1
        if is_weight and tensor.name in used:
            shapes[tensor.name] = tuple(tensor.dims)
            tensor.CopyFrom(
                TensorProto(name=tensor.name, dims=tensor.dims, data_type=TensorProto.FLOAT)
            )
    del graph.value_info[:], graph.metadata_props[:], model.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    return shapes


def in_double(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with float64 in place of float32."""
    tensors = [a.t for node in model.graph.node for a in node.attribute
               if a.type == AttributeProto.TENSOR]  # fmt: skip
    for tensor in (*model.graph.initializer, *tensors):
        if tensor.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).astype("float64")
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    for value in (*model.graph.input, *model.graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    return model


def make(peer: str, packages: tuple[str, ...], model: onnx.ModelProto) -> None:
    """Saves the graph and the logits; for several outputs a golden for each."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in (*packages, "onnx")]
    shapes, made_with = strip(model), ", ".join(versions)
    lengths = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    size = lengths[2]
    graph_file(peer).write_bytes(gzip.compress(model.SerializeToString(), 9, mtime=0))
    Golden(shapes, size, np.zeros(0), made_with).save(peer)
    image = draw_image(size) if lengths[3] == 3 else draw_image(size).transpose(0, 3, 1, 2)
    evaluator = ReferenceEvaluator(in_double(model_of(peer)), new_ops=[MaxPool])
    outputs = dict(zip(evaluator.output_names,
                       evaluator.run(None, {evaluator.input_names[0]: image}),
                       strict=True))  # fmt: skip
    main = "predictions" if "predictions" in outputs else evaluator.output_names[0]
    for name, logits in outputs.items():
        golden = peer if name == main else f"{peer}_{name}"
        kept = shapes if name == main else {}
        Golden(kept, size, logits[0], made_with).save(golden)
        print(f"{golden}: {len(kept)} tensors, {logits.dtype} logits to {abs(logits).max():.3g}")
    print(f"{graph_file(peer).stat().st_size / 1e3:.0f} kB")


def main() -> None:
    """Makes the goldens that the command line names."""
    parser = argparse.ArgumentParser(description="Makes the goldens of ONNX files.")
    parser.add_argument("peers", nargs="+", metavar="PEER", help=", ".join((*TORCH, *KERAS)))
    for peer in parser.parse_args().peers:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "net.onnx")
            if peer in TORCH:
                packages = export_torch(*TORCH[peer], path)
            else:
                packages = export_keras(*KERAS[peer], path)
            make(peer, packages, onnx.load(path))


if __name__ == "__main__":
    main()
