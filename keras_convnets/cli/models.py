"""`keras-convnets list` and `keras-convnets info`."""

from typing import Annotated

import rich.box
import rich.console
import rich.table
import typer


def list_models(
    pattern: Annotated[str, typer.Argument(help="Shell pattern, such as 'x*'.")] = "*",
) -> None:
    """List the nets and the recipes."""
    from keras_convnets import recipes
    from keras_convnets._registry import find_architecture
    from keras_convnets._registry import list_models as names

    nets = rich.table.Table(title="Nets", box=rich.box.SIMPLE_HEAD, padding=0)
    for column in ("net", "parameters", "multiply-\nadds", "input", "paper"):  # 80 characters wide
        justify = "right" if column in ("parameters", "multiply-\nadds", "input") else "left"
        nets.add_column(column, justify=justify, no_wrap=True)
    for name in names(pattern):
        entry, options = find_architecture(name)
        counts = entry.variant(options.get("variant")).counts
        size = "x".join(map(str, entry.input_shape))
        macs = f"{counts.macs / 1e6:,.1f} M"
        nets.add_row(name, f"{counts.total:,}", macs, size, entry.paper.citation)
    recipe_table = rich.table.Table("recipe", "what", title="Recipes")
    for name in recipes.names():
        recipe_table.add_row(name, recipes.get(name).about)
    console = rich.console.Console()
    console.print(nets)
    console.print(recipe_table)
    console.print("next: keras-convnets info NET, keras-convnets train RECIPE")


def info(
    name: Annotated[str, typer.Argument(help="Net[:variant], in any case; see list.")],
    layers: Annotated[bool, typer.Option("--layers", help="Show the cost of each layer.")] = False,
) -> None:
    """Show what a net is and costs."""
    from keras_convnets._registry import find_architecture
    from keras_convnets.analysis import count_complexity

    entry, options = find_architecture(name)
    variant = entry.variant(options.get("variant"))
    model = entry.builder(weights=None, **options)
    cost = count_complexity(model)
    console = rich.console.Console()
    facts = rich.table.Table(box=None, show_header=False)
    facts.add_column(style="bold")
    facts.add_column()
    for fact, value in (
        ("net", ":".join([entry.name, *options.values()])),
        ("paper", f"{entry.paper.title} ({entry.paper.authors} {entry.paper.year})"),
        ("", entry.paper.url),
        ("reported", entry.reported),
        (
            "input",
            f"{' x '.join(map(str, model.input.shape[1:]))}, scaled as {variant.preprocessing!r}",
        ),
        ("output", " x ".join(map(str, model.output.shape[1:]))),
        ("parameters", f"{cost.total:,} ({cost.trainable:,} trainable)"),
        ("multiply-adds", f"{cost.macs:,} an image"),
        ("activations", f"{cost.peak_activation_bytes / 2**20:.1f} MiB at the peak, an image"),
        ("variants", ", ".join(filter(None, entry.variants)) or "none"),
    ):
        facts.add_row(fact, value)
    console.print(facts)
    taps = rich.table.Table("tap", "channels", "stride", title="Taps", title_justify="left")
    for tap in variant.taps:
        taps.add_row(tap.name, str(tap.channels), str(tap.stride))
    console.print(taps)
    if layers:
        table = rich.table.Table("layer", "kind", "output", "trainable", "multiply-adds")
        for row in cost.layers:
            shape = " x ".join(map(str, row.output_shape))
            table.add_row(row.name, row.kind, shape, f"{row.trainable:,}", f"{row.macs:,}")
        console.print(table)
