"""Makes small files of Torch in every form that public weights have, and some that must be refused.

    python -m tests.weights.peers.make_torch_files

from the root of the repository, in an environment with torch and NumPy; the tests need no Torch.
The files were made with torch 2.14.1. It still reads what its old versions wrote, and so must we:
picklers of ours write the tensors as these did. Beside the files stands expected.npz, which has
every tensor of a state dictionary under "file/name" as Torch reads it; bfloat16 as float32.
"""

import functools
import io
import os
import pickle
import pickletools
import types
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .drawing import draw

FOLDER = Path(__file__).parent / "files"
NESTS = ("state_dict", "model_state")


def make_net() -> nn.Module:
    """A convolution, a batch normalization and a dense layer, drawn by name."""
    net = nn.Sequential(
        OrderedDict(conv=nn.Conv2d(3, 4, 3), bn=nn.BatchNorm2d(4), fc=nn.Linear(4, 5))
    )
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    net.load_state_dict(
        {name: torch.from_numpy(draw(name, shape)) for name, shape in shapes.items()}
    )
    return net


def make_checkpoint() -> dict[str, Any]:
    """What training scripts keep, of a net in `DataParallel` behind one step of SGD."""
    net = make_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    sum(parameter.sum() for parameter in net.parameters()).backward()
    optimizer.step()
    return {
        "epoch": 3,
        "arch": "tiny",
        "state_dict": nn.DataParallel(net).state_dict(),
        "best_acc1": 76.13,
        "optimizer": optimizer.state_dict(),
    }


def make_pycls_checkpoint() -> dict[str, Any]:
    """The same in the words of pycls."""
    checkpoint = make_checkpoint()
    return {
        "epoch": checkpoint["epoch"],
        "model_state": make_net().state_dict(),
        "optimizer_state": checkpoint["optimizer"],
        "cfg": "MODEL:\n  TYPE: tiny\n",
    }


def make_views() -> dict[str, torch.Tensor]:
    """Tensors that share one storage in every way; and one that has none."""
    base = torch.from_numpy(draw("base", (6, 4)))
    kernel = torch.from_numpy(draw("kernel", (2, 3, 3, 3)))
    return {
        "base": base,
        "transposed": base.T,
        "last_rows": base[4:],
        "column": base[:, 1],
        "every_other": base[::2, 1::2],
        "repeated": base[2].expand(3, 4),
        "scalar": base[5, 3],
        "channels_last": kernel.to(memory_format=torch.channels_last),
        "part_of_unsaved": kernel[1],
        "empty": torch.zeros(0, 4),
    }


def make_old_state_dict() -> OrderedDict[str, torch.Tensor]:
    """Before 0.4.1 nothing counted the batches, and a state dictionary had no metadata."""
    tensors = make_net().state_dict()
    return OrderedDict(
        (name, tensor) for name, tensor in tensors.items() if "num_batches" not in name
    )


def make_parameters() -> OrderedDict[str, torch.Tensor]:
    """A state dictionary whose weights are parameters, as scripts make that skip `.data`."""
    parameters = dict(make_net().named_parameters())
    return OrderedDict(
        (name, parameters.get(name, tensor)) for name, tensor in make_old_state_dict().items()
    )


class Attack:
    """Calls a shell when it is unpickled."""

    def __reduce__(self):
        return os.system, ("echo > attacked",)


def make_attack() -> dict[str, Any]:
    """A state dictionary that makes a file "attacked" in the working directory."""
    return {"conv.weight": make_net().conv.weight.data, "conv.bias": Attack()}


class _OldPickler(pickle.Pickler):
    """Pickles tensors by their four numbers and parameters as objects, as before Torch 0.4."""

    def reducer_override(self, obj):
        if isinstance(obj, nn.Parameter):
            return nn.Parameter, (obj.data,), (True, False, OrderedDict())
        if isinstance(obj, torch.Tensor):
            return torch._utils._rebuild_tensor, _view(obj)
        return NotImplemented


class _FirstPickler(pickle.Pickler):
    """Pickles tensors as objects, as in torchvision's first VGGs."""

    def reducer_override(self, obj):
        if obj is torch.FloatTensor:
            return "FloatTensor"
        if isinstance(obj, torch.Tensor):
            return torch.FloatTensor, (), _view(obj)
        return NotImplemented


def _view(tensor: torch.Tensor) -> tuple:
    """What describes a tensor in its pickle."""
    storage, shape = tensor._typed_storage(), tuple(tensor.shape)
    return storage, tensor.storage_offset(), shape, tensor.stride()


def save_legacy(content: Any, path: Path, pickler: type = pickle.Pickler) -> None:
    """Writes a file in the format of before Torch 1.6."""
    module = types.ModuleType("pickle")
    module.Pickler, module.dump = pickler, pickle.dump
    torch.save(content, path, pickle_module=module, _use_new_zipfile_serialization=False)


def save_python2(content: Any, path: Path) -> None:
    """Writes a file in the format of before Torch 1.6 as Python 2 did, whose texts are bytes."""
    save_legacy(content, path, _OldPickler)
    written = path.read_bytes()
    stream = io.BytesIO(written)
    with path.open("wb") as file:
        for _ in range(5):  # magic number, version, system, tensors, keys
            steps = list(pickletools.genops(stream))
            ends = [position for _, _, position in steps[1:]] + [stream.tell()]
            for (step, argument, start), end in zip(steps, ends, strict=True):
                if step.name == "BINUNICODE":
                    file.write(b"U%c" % len(argument) + argument.encode())
                else:
                    file.write(written[start:end])
        file.write(stream.read())


Make, Save = Callable[[], Any], Callable[[Any, Path], None]
READABLE: dict[str, tuple[Make, Save]] = {
    "state_dict.pth": (lambda: make_net().state_dict(), torch.save),
    "legacy.pth": (lambda: make_net().state_dict(), save_legacy),
    "float16.pth": (lambda: make_net().half().state_dict(), torch.save),
    "bfloat16.pth": (lambda: make_net().bfloat16().state_dict(), torch.save),
    "checkpoint.pth": (make_checkpoint, torch.save),
    "pycls.pyth": (make_pycls_checkpoint, torch.save),
    "views.pth": (make_views, torch.save),
    "views_legacy.pth": (make_views, save_legacy),
    "parameters.pth": (make_parameters, torch.save),
    "old.pth": (make_old_state_dict, functools.partial(save_legacy, pickler=_OldPickler)),
    "old_parameters.pth": (make_parameters, functools.partial(save_legacy, pickler=_OldPickler)),
    "python2.pth": (make_old_state_dict, save_python2),
    "first.pth": (make_old_state_dict, functools.partial(save_legacy, pickler=_FirstPickler)),
}
REFUSED: dict[str, tuple[Make, Save]] = {
    "module.pth": (make_net, torch.save),
    "attack.pth": (make_attack, torch.save),
    "attack_legacy.pth": (make_attack, save_legacy),
}


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """The array of a tensor; float32 for bfloat16, which NumPy has not."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def main() -> None:
    """Makes all files, and has Torch read those that it should."""
    FOLDER.mkdir(exist_ok=True)
    expected = {}
    for name, (make, save) in (READABLE | REFUSED).items():
        save(make(), FOLDER / name)
        print(f"{name}: {(FOLDER / name).stat().st_size} bytes")
    for name in READABLE:
        content = torch.load(FOLDER / name, weights_only=True)
        tensors = next((content[nest] for nest in NESTS if nest in content), content)
        expected |= {f"{name}/{key}": to_numpy(tensor) for key, tensor in tensors.items()}
    np.savez_compressed(FOLDER / "expected.npz", **expected)
    print(f"expected.npz: {len(expected)} arrays")


if __name__ == "__main__":
    main()
