"""Keras Tuner's oracles, such that a kill at any moment loses and repeats nothing.

Of Keras Tuner 1.4.8 they mend: files that a kill leaves half-written; trials that a kill leaves in
a file of their own that the oracle's state does not know, which would never run; finished trials
that its state still has as running, which would run again; a first trial by chance; and rounds of
Hyperband that a failure keeps from their end.

GridSearchOracle is not among them: its state leaves out which combinations are next, so that a
search that was stopped ends at once, or with a KeyError (keras-team/keras-tuner issue 1055).
"""

from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus
from keras_tuner.src.engine.trial import Trial

from keras_convnets.errors import InputError
from keras_convnets.files import read_json, write_json

FOLDER = "oracle"
_STATE = "oracle.json"
_ENDED = (TrialStatus.COMPLETED, TrialStatus.FAILED)
# Of accuracies and precisions.
_WORST = 0.0
# No number of failures in a row ends a search.
_NEVER = 10**9


class _Resumable:
    """What is mended in every oracle."""

    def _random_values(self) -> dict[str, Any] | None:
        if self.trials:
            return super()._random_values()
        space = self.get_space()
        return {hp.name: hp.default for hp in space.space if space.is_active(hp)}

    def save(self) -> None:
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial: Trial) -> None:
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self) -> None:
        folder = Path(self._project_dir)
        paths = list(folder.glob("trial_*/trial.json"))
        state = read_json(folder / _STATE) if (folder / _STATE).is_file() else None
        known = [] if state is None else state["start_order"]
        for path in paths:
            # A kill came before anyone got it: it is drawn again.
            if path.parent.name.removeprefix("trial_") not in known:
                path.unlink()
                continue
            trial = Trial.from_state(read_json(path))
            self.trials[trial.trial_id] = trial
        if state is None:
            return
        self.set_state(state)
        self._mend()

    def _mend(self) -> None:
        """Takes up what was running, and takes note of what ended meanwhile."""
        running = [trial.trial_id for trial in self.ongoing_trials.values()]
        self.ongoing_trials = {}
        waiting = dict.fromkeys([*self._retry_queue, *running])
        ended = {key for key, trial in self.trials.items() if trial.status in _ENDED}
        # The queue is popped from its end: the oldest trial goes on first.
        self._retry_queue = sorted(set(waiting) - ended, key=int, reverse=True)
        self.end_order += sorted(ended - set(self.end_order), key=int)


class RandomSearchOracle(_Resumable, keras_tuner.oracles.RandomSearchOracle):
    """Draws at random; the first trial is the recipe's own setting."""


class BayesianOptimizationOracle(_Resumable, keras_tuner.oracles.BayesianOptimizationOracle):
    """Draws by a Gaussian process; what was tried already is drawn at random."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        response = super().populate_space(trial_id)
        is_known = response["values"] is not None and self._duplicate(response["values"])
        return self._random_populate_space() if is_known else response


class HyperbandOracle(_Resumable, keras_tuner.oracles.HyperbandOracle):
    """Draws at random, and gives more epochs to the best."""

    @keras_tuner.synchronized
    def end_trial(self, trial: Trial) -> None:
        if trial.status == TrialStatus.FAILED:
            # The worst of its round: Keras Tuner's own would wait for another, and promote none.
            self.update_trial(trial.trial_id, {self.objective.name: _WORST})
            trial.status = TrialStatus.COMPLETED
        super().end_trial(trial)


ORACLES = {
    "random": RandomSearchOracle,
    "bayesian": BayesianOptimizationOracle,
    "hyperband": HyperbandOracle,
}


def make_oracle(
    tuner: str,
    hyperparameters: dict[str, Any],
    *,
    objective: str,
    trials: int,
    seed: int,
    epochs: int | None = None,
) -> keras_tuner.Oracle:
    """Makes an oracle.

    Args:
        tuner: "random", "bayesian" or "hyperband".
        hyperparameters: the space, as `keras_tuner.HyperParameters.get_config` has it.
        objective: what is maximized.
        trials: how many there are at most; those that Hyperband promotes are trials, too.
        seed: of all draws.
        epochs: the most that Hyperband gives a trial.
    """
    limits = {"max_epochs": epochs, "hyperband_iterations": trials} if tuner == "hyperband" else {}
    oracle = ORACLES[tuner](
        objective=keras_tuner.Objective(objective, "max"),
        hyperparameters=keras_tuner.HyperParameters.from_config(hyperparameters),
        allow_new_entries=False,
        tune_new_entries=False,
        seed=seed + 1,  # Keras Tuner takes 0 for no seed
        max_consecutive_failed_trials=_NEVER,
        **limits,
    )
    oracle.max_trials = trials  # Hyperband's takes none
    oracle.verbose = 0
    return oracle


def take_up(oracle: keras_tuner.Oracle, folder: Path) -> None:
    """Gives an oracle the state that it left in the folder of a search, if it did.

    Raises:
        InputError: if that is damaged.
    """
    oracle._set_project_dir(folder, FOLDER)
    try:
        oracle.reload()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"The folder {str(folder / FOLDER)!r} is damaged: {error!r}; choose another `--out`."
        ) from error
