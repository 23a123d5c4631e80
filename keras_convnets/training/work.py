"""A run from its checkpoint to its end, by the loop of its place."""

from collections.abc import Callable, Sequence

import keras

from keras_convnets.data import ImageSet, count_steps
from keras_convnets.distribution.replicas import spread_seeds, uniter
from keras_convnets.distribution.strategies import Place
from keras_convnets.errors import InputError
from keras_convnets.stopping import stop_requests
from keras_convnets.training import multi_worker, parameter_server
from keras_convnets.training.averaging import averages_of
from keras_convnets.training.checkpoint import Checkpoints, Progress
from keras_convnets.training.finish import finish
from keras_convnets.training.fit import fit
from keras_convnets.training.job import Job
from keras_convnets.training.model import normalizations
from keras_convnets.training.phases import Phases
from keras_convnets.training.run import Run
from keras_convnets.training.start import load_start
from keras_convnets.training.whitening import learn_whitening


def work(
    run: Run,
    images: ImageSet,
    model: keras.Model,
    phases: Phases,
    place: Place,
    *,
    quiet: bool,
    is_new: bool,
) -> Run:
    """Trains from the last checkpoint to the end, evaluates, and saves the net.

    Args:
        run: its directory.
        images: its data.
        model: its net, made within the scope of the place, as were its optimizers.
        phases: its optimizers.
        place: where it takes place.
        quiet: whether to show nothing.
        is_new: whether it begins now.

    Raises:
        InputError: if its history does not fit its checkpoint.
        StoppedError: see `training.train`.
        DivergedError: see `training.train`.
        UnreadableError: see `training.train`.
    """
    progress = Progress()
    unite = uniter(place, _statistics(model, phases.optimizers))
    checkpoints = Checkpoints(
        run.path / "checkpoints", model, phases.optimizers, progress, place, unite
    )
    if not checkpoints.restore():
        whitening = learn_whitening(model, run, images.train, quiet or not place.is_chief)
        uniter(place, whitening)()  # eigenvectors of two machines may differ in their last bits
        if run.recipe.weights.value is not None:
            if not is_new:
                load_start(model, run.recipe, run.settings.classes)
            checkpoints.save()  # the weights that it starts from may be gone or others later
    spread_seeds(place, model)
    # Behind the last step of a phase its own optimizer counts until training goes on.
    with place.scope():
        phases.enter(max(progress.steps - 1, 0))
    if len(run.history) < progress.epoch:
        raise InputError(
            f"The history of {str(run.path)!r} has {len(run.history)} rows, and its checkpoint "
            f"{progress.epoch} epochs."
        )
    with stop_requests() as stop:
        job = Job(
            run=run,
            images=images,
            model=model,
            phases=phases,
            place=place,
            unite=unite,
            progress=progress,
            checkpoints=checkpoints,
            steps_per_epoch=count_steps(images.train, run.recipe.batch_size.value),
            stop=stop,
            quiet=quiet or not place.is_chief,
        )
        loop_of(place)(job)
        finish(job)
    return run


def loop_of(place: Place) -> Callable[[Job], None]:
    """Returns what trains a run at a place: the only home of that choice."""
    loops = {"multi_worker": multi_worker.fit, "parameter_server": parameter_server.fit}
    return loops.get(place.name, fit)


def _statistics(
    model: keras.Model, optimizers: Sequence[keras.optimizers.Optimizer]
) -> list[keras.Variable]:
    """What each replica moves by its own part of a batch: statistics, and the averages of them."""
    norms = normalizations(model)
    own = [v for norm in norms for v in (norm.moving_mean, norm.moving_variance)]
    pairs = [pair for optimizer in optimizers for pair in averages_of(optimizer)]
    is_own = {id(variable) for variable in own}
    return own + [average for average, variable in pairs if id(variable) in is_own]
