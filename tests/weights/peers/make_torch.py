"""Makes the goldens of Torch nets: torchvision's, timm's and Cadene's pretrainedmodels.

    python -m tests.weights.peers.make_torch [PEER ...]

from the root of the repository, in an environment of its own with torch, torchvision, timm,
pretrainedmodels (and six, which it forgets) and NumPy; the tests need no Torch. Listed is the whole
state dictionary in its order; computed are the main logits.

Three nets of pretrainedmodels have no golden, for their names are timm's: those of inceptionv4
are equal, and inceptionresnetv2 and xception call the head "last_linear". So are those of timm's
ResNets, ResNeXts and Inception-v3 (with auxiliary head) the names of torchvision's.
"""

import argparse
import functools
import gc
import importlib.metadata

import pretrainedmodels
import timm
import torch
import torchvision

from .drawing import FOLDER, Golden, draw, draw_image

PACKAGES = ("torch", "torchvision", "timm", "pretrainedmodels", "numpy")

# With the auxiliary heads, and for images that are scaled as every net here has them.
_AUXILIARY = {"aux_logits": True, "init_weights": False, "transform_input": False}

TORCHVISION = {
    "alexnet": {},
    "googlenet": _AUXILIARY,
    "inception_v3": _AUXILIARY,
    **{f"vgg{depth}{suffix}": {} for depth in (11, 13, 16, 19) for suffix in ("", "_bn")},
    **{f"resnet{depth}": {} for depth in (18, 34, 50, 101, 152)},
    "resnext50_32x4d": {},
    "resnext101_32x8d": {},
    "resnext101_64x4d": {},
}
TIMM = (
    "inception_v3",
    "inception_v4",
    "inception_resnet_v2",
    "legacy_xception",
    "resnext101_32x4d",
    "vgg11",
)
CADENE = ("bninception", "resnext101_32x4d", "resnext101_64x4d")

# A function that builds each net, by the name of its golden.
PEERS = {
    **{
        f"torchvision_{net}": functools.partial(
            torchvision.models.get_model, net, weights=None, **options
        )
        for net, options in TORCHVISION.items()
    },
    **{f"timm_{net}": functools.partial(timm.create_model, net) for net in TIMM},
    **{
        f"cadene_{net}": functools.partial(
            getattr(pretrainedmodels, net), num_classes=1000, pretrained=None
        )
        for net in CADENE
    },
}


def compute(peer: str) -> Golden:
    """Lists the tensors of a net, and computes its logits from drawn ones."""
    with torch.device("meta"):  # no time and memory for weights that are replaced
        net = PEERS[peer]()
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    drawn = {name: torch.from_numpy(draw(name, shape)) for name, shape in shapes.items()}
    net.load_state_dict(drawn, assign=True)
    net.double().eval()
    size = 299 if "inception_" in peer else 224
    if "xception" in peer:
        size = 295  # every pool reads a map of odd size: at even ones Torch and Keras pad otherwise
    image = torch.from_numpy(draw_image(size)).permute(0, 3, 1, 2)
    made_with = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return Golden(shapes, size, net(image)[0].numpy(), made_with)


def main() -> None:
    """Makes the goldens that the command line names, or all."""
    parser = argparse.ArgumentParser(description="Makes the goldens of Torch nets.")
    parser.add_argument("peers", nargs="*", metavar="PEER", help=", ".join(PEERS))
    peers = parser.parse_args().peers or list(PEERS)
    unknown = [peer for peer in peers if peer not in PEERS]
    if unknown:
        parser.error(f"The peers are {', '.join(PEERS)}. Received: {unknown[0]!r}")
    for peer in peers:
        golden = compute(peer)
        golden.save(peer)
        kilobytes = (FOLDER / f"{peer}.npz").stat().st_size / 1e3
        largest = abs(golden.logits).max()
        print(f"{peer}: {len(golden.shapes)} tensors, logits to {largest:.3g}, {kilobytes:.0f} kB")
        gc.collect()


if __name__ == "__main__":
    with torch.inference_mode():
        main()
