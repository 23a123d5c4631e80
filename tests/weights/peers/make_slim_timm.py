"""Makes the goldens of the nets of TF-slim that tf_slim.nets does not have.

    python -m tests.weights.peers.make_slim_timm

from the root of the repository, in an environment with torch and timm==1.0.31. The variables are
listed as tensorflow/models research/slim/nets/inception_v4.py and inception_resnet_v2.py name them,
and drawn under these names; timm's ports compute the logits from them.
"""

import importlib.metadata
import re

import numpy as np
import timm
import torch

from .drawing import Golden, draw_image
from .write_slim import draw_variable

SIZE, CLASSES = 299, 1001

# Convolutions of the branches of a module, "Conv2d_" left out; pools have no variables.
INCEPTION_A = "0a_1x1", "0a_1x1 0b_3x3", "0a_1x1 0b_3x3 0c_3x3", "0b_1x1"
REDUCTION_A = "1a_3x3", "0a_1x1 0b_3x3 1a_3x3"
INCEPTION_B = "0a_1x1", "0a_1x1 0b_1x7 0c_7x1", "0a_1x1 0b_7x1 0c_1x7 0d_7x1 0e_1x7", "0b_1x1"
REDUCTION_B = "0a_1x1 1a_3x3", "0a_1x1 0b_1x7 0c_7x1 1a_3x3"
INCEPTION_C = "0a_1x1", "0a_1x1 0b_1x3 0c_3x1", "0a_1x1 0b_3x1 0c_1x3 0d_1x3 0e_3x1", "0b_1x1"
V4 = {
    "": "1a_3x3 2a_3x3 2b_3x3",
    "Mixed_3a": ("", "0a_3x3"),
    "Mixed_4a": ("0a_1x1 1a_3x3", "0a_1x1 0b_1x7 0c_7x1 1a_3x3"),
    "Mixed_5a": ("1a_3x3",),
    **{f"Mixed_5{letter}": INCEPTION_A for letter in "bcde"},
    "Mixed_6a": REDUCTION_A,
    **{f"Mixed_6{letter}": INCEPTION_B for letter in "bcdefgh"},
    "Mixed_7a": REDUCTION_B,
    **{f"Mixed_7{letter}": INCEPTION_C for letter in "bcd"},
}
BLOCK35 = "1x1", "0a_1x1 0b_3x3", "0a_1x1 0b_3x3 0c_3x3"
BLOCK17 = "1x1", "0a_1x1 0b_1x7 0c_7x1"
BLOCK8 = "1x1", "0a_1x1 0b_1x3 0c_3x1"
RESNET_V2 = {
    "": "1a_3x3 2a_3x3 2b_3x3 3b_1x1 4a_3x3",
    "Mixed_5b": ("1x1", "0a_1x1 0b_5x5", "0a_1x1 0b_3x3 0c_3x3", "0b_1x1"),
    **{f"Repeat/block35_{i}": BLOCK35 for i in range(1, 11)},
    "Mixed_6a": REDUCTION_A,
    **{f"Repeat_1/block17_{i}": BLOCK17 for i in range(1, 21)},
    "Mixed_7a": ("0a_1x1 1a_3x3", "0a_1x1 1a_3x3", "0a_1x1 0b_3x3 1a_3x3"),
    **{f"Repeat_2/block8_{i}": BLOCK8 for i in range(1, 10)},
    "Block8": BLOCK8,
    "/": "7b_1x1",
}


def scopes(modules: dict[str, str | tuple[str, ...]]) -> list[str]:
    """The scopes of all convolutions, in the order in which slim and timm make them."""
    found = []
    for module, branches in modules.items():
        if isinstance(branches, str):
            found += [f"Conv2d_{conv}" for conv in branches.split()]
            continue
        for i, convs in enumerate(branches):
            found += [f"{module}/Branch_{i}/Conv2d_{conv}" for conv in convs.split()]
        if "lock" in module:
            found.append(f"{module}/Conv2d_1x1")
    return found


def fill(module: torch.nn.Module, owner: str, suffix: str = "") -> dict[str, tuple[int, ...]]:
    """Draws a layer's variables under slim's names, and returns their shapes in slim's layout.

    Args:
        module: convolution, dense layer or batch normalization.
        owner: its scope.
        suffix: of the names.
    """
    if isinstance(module, torch.nn.BatchNorm2d):
        torch.nn.init.ones_(module.weight)
        theirs = {
            "beta": module.bias,
            "moving_mean": module.running_mean,
            "moving_variance": module.running_var,
        }
    else:
        theirs = {"weights": module.weight}
        if module.bias is not None:
            theirs["biases"] = module.bias
    shapes = {}
    for variable, tensor in theirs.items():
        axes = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[tensor.ndim]
        name = f"{owner}{suffix}/{variable}"
        shapes[name] = tuple(tensor.shape[axis] for axis in axes)
        drawn = draw_variable(name, shapes[name]).transpose(np.argsort(axes))
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(drawn.copy()))
    return shapes


def auxiliary(net: str, channels: int, last_conv: str, classifier: str) -> dict[str, tuple]:
    """Shapes of the variables of the auxiliary head, which timm's ports do without."""
    shapes = {}
    for conv, shape in (("Conv2d_1b_1x1", (1, 1, channels, 128)), (last_conv, (5, 5, 128, 768))):
        shapes[f"{net}/AuxLogits/{conv}/weights"] = shape
        for variable in ("beta", "moving_mean", "moving_variance"):
            shapes[f"{net}/AuxLogits/{conv}/BatchNorm/{variable}"] = shape[-1:]
    shapes[f"{net}/AuxLogits/{classifier}/weights"] = (768, CLASSES)
    shapes[f"{net}/AuxLogits/{classifier}/biases"] = (CLASSES,)
    return shapes


def make(timm_name: str, net: str, modules: dict, head: tuple[int, str, str]) -> Golden:
    """Fills timm's port with draws under slim's names, and runs it."""
    model = timm.create_model(timm_name, num_classes=CLASSES).double().eval()
    convs = [module for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    norms = (module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d))
    shapes: dict[str, tuple[int, ...]] = {}
    for scope, conv in zip(scopes(modules), convs, strict=True):
        size = re.search(r"(\d)x(\d)$", scope)
        assert conv.kernel_size == (int(size[1]), int(size[2])), scope
        shapes |= fill(conv, f"{net}/{scope}")
        if conv.bias is None:
            shapes |= fill(next(norms), f"{net}/{scope}", "/BatchNorm")
    shapes |= auxiliary(net, *head)
    shapes |= fill(model.get_classifier(), f"{net}/Logits/Logits")
    image = torch.from_numpy(draw_image(SIZE)).permute(0, 3, 1, 2)
    with torch.no_grad():
        logits = model(image).numpy()[0]
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("timm", "torch"))
    return Golden(shapes, SIZE, logits, ", ".join(versions))


NETS = {
    "inception_v4": ("InceptionV4", V4, (1024, "Conv2d_2a", "Aux_logits")),
    "inception_resnet_v2": ("InceptionResnetV2", RESNET_V2, (1088, "Conv2d_2a_5x5", "Logits")),
}

if __name__ == "__main__":
    for timm_name, arguments in NETS.items():
        golden = make(timm_name, *arguments)
        golden.save(f"slim_{timm_name}")
        spread = np.abs(golden.logits).max()
        print(f"{timm_name}: {len(golden.shapes)} tensors, logits up to {spread:.3g}")
