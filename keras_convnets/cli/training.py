"""`keras-convnets train`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich.console
import rich.markup
import rich.table
import typer

from keras_convnets.cli.recipes import print_differences
from keras_convnets.errors import InputError
from keras_convnets.exit_codes import FAILED

if TYPE_CHECKING:
    from keras_convnets.training import Compilation, Profile, Recipe, Run


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="NAME or NAME:OPTION of a recipe (see recipes list), or a .py file with recipe(). "
            "Default: xception_fashion_mnist."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="fashion_mnist_6k, fashion_mnist[:DIR], mnist[:DIR], folder:DIR, csv:FILE, "
            "tfrecord:GLOB or tfds:NAME[:SPLIT]."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The net in place of the recipe's: NET or NET:VARIANT.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="What it starts from: imagenet, an entry of the catalog, a file, a run, or None."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory. Default: runs/RECIPE-TIME.")
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Length in epochs.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Images in a batch; the rate is scaled in proportion.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Of first weights, data order, augmentation and dropout.")
    ] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Any field of the recipe; repeatable."),
    ] = None,
    mixed_precision: Annotated[str | None, typer.Option(help="float16 or bfloat16.")] = None,
    checkpoint_every: Annotated[
        int | None, typer.Option(help="Steps. Default: an epoch or 500, the lesser.")
    ] = None,
    accumulate: Annotated[
        int, typer.Option(help="Micro-batches of an update, where a batch needs too much memory.")
    ] = 1,
    initial_seed: Annotated[
        int | None, typer.Option(help="Of first weights and held-out images, in place of --seed.")
    ] = None,
    max_skipped: Annotated[
        float | None,
        typer.Option(help="Share of images that may be left out unread; 0: none. Default: 0.05."),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            help="Where: auto, single, mirrored, multi_worker, tpu or parameter_server. A cluster "
            "is named by TF_CONFIG; launch starts one here."
        ),
    ] = "auto",
    evaluate_every: Annotated[
        int | None,
        typer.Option(help="Steps between evaluations within epochs. Default: at their ends only."),
    ] = None,
    smoke: Annotated[
        bool,
        typer.Option(
            "--smoke", help="Try the recipe: seconds, a small net, a few embedded images."
        ),
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Train nothing; tell what bounds the speed.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="With --strategy tpu: train nothing; tell whether XLA can compile the step.",
        ),
    ] = False,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with a run that was stopped or killed.")
    ] = None,
) -> None:
    """Train a net by a recipe; a killed run goes on with --resume RUN."""
    from keras_convnets import recipes, training

    console = rich.console.Console()
    if resume is not None:
        others = (recipe, data, model, weights, out, epochs, batch_size, set_, mixed_precision)
        rest = (checkpoint_every, max_skipped, initial_seed, evaluate_every)
        is_given = any(option is not None for option in (*others, *rest))
        if is_given or seed or profile or smoke or dry_run or accumulate != 1:
            raise InputError(
                "--resume takes everything else but --strategy from the run; give it alone."
            )
        run = training.resume(resume, strategy=strategy)
    else:
        if dry_run and strategy != "tpu":
            raise InputError(f"--dry-run is for --strategy tpu. Received: --strategy {strategy}")
        chosen = recipes.get(recipe or recipes.DEFAULT)
        if model is not None:
            chosen = chosen.with_model(model)
        if weights is not None:
            chosen = chosen.set("weights", weights)
        if smoke:
            chosen = _smoke(chosen, data)
        chosen = training.settle(adapt(chosen, set_ or [], epochs, batch_size))
        title = rich.markup.escape(f"{chosen.net} by the recipe {chosen.name}: {chosen.about}")
        console.print(title, style="bold", highlight=False, soft_wrap=True)
        if dry_run:
            _tell_compilation(console, training.compile_recipe(chosen, data))
            return
        if profile:
            found = training.profile(
                chosen,
                data=data,
                seed=seed,
                mixed_precision=mixed_precision,
                accumulate=accumulate,
            )
            _tell_profile(console, found)
            return
        run = training.train(
            chosen,
            data=data,
            out=out,
            seed=seed,
            mixed_precision=mixed_precision,
            checkpoint_every=checkpoint_every,
            accumulate=accumulate,
            initial_seed=initial_seed,
            strategy=strategy,
            evaluate_every=evaluate_every,
            **({} if max_skipped is None else {"max_skipped": max_skipped}),
        )
    _tell(console, run)


def _smoke(recipe: "Recipe", data: str | None) -> "Recipe":
    """Cuts a recipe down to seconds, and says how."""
    from keras_convnets import training

    if data is not None:
        raise InputError(
            f"--smoke takes images that ship with the package; leave --data out. Received: {data!r}"
        )
    small = training.smoke(recipe)
    print_differences(recipe, small)
    return small


def adapt(
    recipe: "Recipe", settings: list[str], epochs: float | None, batch_size: int | None
) -> "Recipe":
    """Returns a recipe with what `--set`, `--epochs` and `--batch-size` say."""
    from keras_convnets.training import Epochs

    for setting in settings:
        field, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set wants field=value. Received: {setting!r}")
        recipe = recipe.set(field.strip(), value.strip())
    length = Epochs(epochs) if epochs is not None else None
    return recipe.scaled(batch_size=batch_size, length=length)


def _tell_compilation(console: rich.console.Console, found: "Compilation") -> None:
    """Prints what would not compile, and what that is worth."""
    evidence = f"XLA for the CPU, bfloat16, known shapes, {found.seconds:.0f} s; no TPU was asked"
    if found.fault is not None:
        text = f"The training step does not compile ({evidence}): {found.fault}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(FAILED)
    console.print(f"The training step compiles ({evidence}).", highlight=False, soft_wrap=True)


def _tell_profile(console: rich.console.Console, found: "Profile") -> None:
    """Prints the rates, and what they mean."""
    table = rich.table.Table("alone", "images/s", "images/s and core")
    rows = {"input": found.input, "net": found.compute, "reading and decoding": found.decoding}
    for name, rate in rows.items():
        if rate is not None:
            table.add_row(name, f"{rate:,.0f}", f"{rate / found.cores:,.0f}")
    console.print(table)
    if found.decoding_share is not None:
        console.print(
            f"Decoding whole images would take {found.decoding_share:.0%} of the input's time."
        )
    if found.is_bound_by_input:
        verdict = "Bound by input: the net waits for images. Cheaper changes, smaller files or "
        verdict += "more cores would make it faster."
    else:
        verdict = "Bound by compute: images wait for the net."
    console.print(verdict)
    console.print("Without an accelerator both share the cores, and are slower together.")


def _tell(console: rich.console.Console, run: "Run") -> None:
    """Prints the result, where the report is, and what to type next."""
    scores = run.evaluation or {}
    if "map_at_100" in scores:
        figures = f"[bold]MAP@100 {scores['map_at_100']:.1%}[/bold]"
        if scores["micro_f1"] is not None:
            figures += f", F1 {scores['micro_f1']:.1%} at the thresholds in model.json"
    else:
        figures = f"[bold]top-1 {scores['top1']:.1%}[/bold], top-5 {scores['top5']:.1%}"
    console.print(f"\n{figures} on {scores['n']:,} {scores['split']} images", highlight=False)
    path = os.fspath(run.path)
    if run.skipped:
        count = f"{len(run.skipped):,} images can't be read and were left out"
        console.print(
            f"{count}: {path}/skipped.json", highlight=False, markup=False, soft_wrap=True
        )
    for text in (
        f"report:  {path}/report.html",
        f"next:    keras-convnets predict {path} IMAGE...",
        f"         keras-convnets evaluate {path} --data {run.recipe.data.value}",
    ):
        console.print(text, highlight=False, markup=False, soft_wrap=True)
