"""Pre-activation ResNet-200 on ImageNet (He, Zhang, Ren, Sun 2016, arXiv 1603.05027).

    keras-convnets train resnet200_imagenet

Expected: top-1 78.3 % of one crop at 224 pixels (facebook/fb.resnet.torch); the paper (table 5) has
79.9 % at 320, by `keras-convnets evaluate RUN --protocol dense:320`.
Cost: eight GPUs for about three weeks. Not run here: it needs ImageNet and accelerators.
ImageNet is a manual download: ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar of image-net.org
go into ~/tensorflow_datasets/downloads/manual.
Departures: none known from fb.resnet.torch, the code that the paper points to.
"""

from keras_convnets.recipes._base import IMAGENET, complete, right
from keras_convnets.recipes._torch_residual import FB_RESNET, torch_imagenet
from keras_convnets.training import C, Epochs, P, Piecewise, Recipe

OPTIONS_FILE = f"{FB_RESNET}/opts.lua"


def recipe() -> Recipe:
    """Returns the recipe of fb.resnet.torch with the net of the paper."""
    return complete(
        **torch_imagenet(FB_RESNET),
        model=P("ResNet200V2", "table 5"),
        variant=P("paper", "figure 4 (e)"),
        data=IMAGENET,
        input_size=P(224, "table 5"),
        classes=P(1000, "section 4"),
        batch_size=C(256, f"{FB_RESNET}/README.md"),
        length=C(Epochs(90), OPTIONS_FILE),
        schedule=C(
            Piecewise((0.1, 0.01, 0.001), (Epochs(30), Epochs(30))), f"{FB_RESNET}/train.lua"
        ),
        l2=C(1e-4, OPTIONS_FILE),
        hardware=P("eight GPUs, about three weeks", "section 4"),
        results=C(right(21.66, 5.79), f"{FB_RESNET}/README.md: one crop, 224 pixels"),
    )
