"""What workers and parameter servers of a run do."""

from keras_convnets.distribution import Role, prepare_to_serve, serve
from keras_convnets.training.parameter_server.pipeline import offer_batches
from keras_convnets.training.preparation import decode, load_data, make_settings
from keras_convnets.training.recipe import Recipe


def serve_run(role: Role, recipe: Recipe, data: str | None, seed: int, quiet: bool) -> None:
    """Serves the chief of a run until it is gone; a worker gets its images ready before.

    Args:
        role: of this process, a worker or parameter server.
        recipe: of the run.
        data: see `training.train`.
        seed: see `training.train`.
        quiet: whether to show nothing.

    Raises:
        InputError: if there is no such data here, or the port is taken.
    """
    prepare_to_serve()
    if role.task == "worker":
        recipe, images = load_data(recipe, data, seed)
        settings = make_settings(recipe, images, seed, None, None)
        offer_batches(recipe, decode(recipe, images, settings, quiet), settings, role.index)
    serve(role)
