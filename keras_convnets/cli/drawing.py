"""`keras-convnets draw`."""

from pathlib import Path
from typing import Annotated

import rich.console
import typer

from keras_convnets.errors import InputError, reason_of

SUFFIXES = (".svg", ".png")
PNG_DPI = 144  # twice as many pixels as points


def draw(
    name: Annotated[str, typer.Argument(help="Net[:variant], in any case; see list.")],
    out: Annotated[
        Path | None, typer.Option(help="File to write, .svg or .png. Default: NET.svg.")
    ] = None,
    input_size: Annotated[
        int | None, typer.Option(help="Height and width of images in pixels.", min=1)
    ] = None,
) -> None:
    """Draw the modules of a net, with their branches, shapes and repeats."""
    from keras_convnets._registry import find_architecture
    from keras_convnets.files import check_writable, replacing

    if out is not None and out.suffix.lower() not in SUFFIXES:
        raise InputError(f"--out should end in .svg or .png. Received: {str(out)!r}")
    entry, variant = find_architecture(name)
    full_name = f"{entry.name}:{variant.name}" if ":" in name else entry.name
    out = out or Path(f"{full_name.replace(':', '_')}.svg")
    try:
        is_folder = out.is_dir()
    except OSError as error:  # a name that is too long
        raise InputError(f"--out can't be written: {reason_of(error)}") from error
    if is_folder:
        raise InputError(f"--out should be a file, not a folder. Received: {str(out)!r}")
    check_writable(out.parent)
    content = _content(full_name, variant.input_shape, input_size, out.suffix.lower()[1:])
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as temporary:
        temporary.write_bytes(content)
    console = rich.console.Console()
    for text in (f"wrote {out}", f"next: keras-convnets info {full_name} --layers"):
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _content(
    name: str, shape: tuple[int, int, int], input_size: int | None, file_format: str
) -> bytes:
    """The content of the file, from a net without weights: a large one takes long to get them."""
    import keras

    from keras_convnets._registry import get_model
    from keras_convnets.analysis.diagram import diagram
    from keras_convnets.analysis.weightless import weightless

    options = {}
    if input_size is not None:
        sizes, channels = (input_size, input_size), shape[-1:]
        is_last = keras.config.image_data_format() == "channels_last"
        options["input_shape"] = sizes + channels if is_last else channels + sizes
    picture = weightless(lambda: diagram(get_model(name, weights=None, **options), name))
    return picture.content(file_format, PNG_DPI)
