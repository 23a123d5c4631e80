"""`keras-convnets`: the package from a terminal; a file for each group of verbs."""

import sys

import rich.console
import typer

from keras_convnets.cli import (
    comparing,
    designing,
    drawing,
    evaluating,
    launching,
    models,
    planning,
    predicting,
    recipes,
    recording,
    reproducing,
    training,
    tuning,
    weights,
)
from keras_convnets.cli.quiet import with_quiet_tensorflow
from keras_convnets.errors import DivergedError, InputError, StoppedError, UnreadableError
from keras_convnets.exit_codes import BAD_INPUT, FAILED, RESTART

app = typer.Typer(
    name="keras-convnets",
    help="Train, check and use the classic ConvNets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, verb in {
    "train": training.train,
    "evaluate": evaluating.evaluate,
    "predict": predicting.predict,
    "list": models.list_models,
    "info": models.info,
    "design": designing.design,
    "draw": drawing.draw,
    "plan": planning.plan,
    "make-records": recording.make_records,
    "reproduce": reproducing.reproduce,
    "compare": comparing.compare,
    "tune": tuning.tune,
}.items():
    app.command(name)(with_quiet_tensorflow(verb))
# It computes nothing by itself, and is there as long as a run.
app.command("launch", context_settings={"allow_interspersed_args": False})(launching.launch)
app.add_typer(recipes.app, name="recipes")
app.add_typer(weights.app, name="weights")


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0 done, 1 failed, 2 bad input, 3 partial, 75 resume."""
    codes = {
        InputError: BAD_INPUT,
        DivergedError: FAILED,
        UnreadableError: FAILED,
        StoppedError: RESTART,
    }
    try:
        app(arguments)
    except tuple(codes) as error:
        rich.console.Console(stderr=True).print(
            str(error), style="red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(next(code for kind, code in codes.items() if isinstance(error, kind)))
