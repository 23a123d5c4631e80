"""What stock tuners of Keras Tuner lack: a first trial that is no guess, and infeasible trials."""

from typing import Any

import keras_tuner
from keras_tuner.engine.hyperparameters import HyperParameter

from keras_convnets.errors import InputError

# A search that only draws what can't be would have no end.
MOST_INFEASIBLE = 100


class InfeasibleTrialError(keras_tuner.errors.FailedTrialError):
    """The configuration of a trial can't be, or costs more than it may; it was not built."""


class _DefaultFirst:
    """A hyper-parameter whose first draw is its default."""

    is_drawn = False

    def random_sample(self, seed: int | None = None) -> Any:
        """Returns the default, and from the second draw on a random value."""
        if self.is_drawn:
            return super().random_sample(seed)
        self.is_drawn = True
        return self.default


def default_first(hyperparameter: HyperParameter) -> HyperParameter:
    """Returns a hyper-parameter whose first draw is its default.

    The oracles of random search, of Bayesian optimization and of Hyperband draw the first trial as
    any other; so that it has the defaults all hyper-parameters want this.
    """
    kind = type(hyperparameter)
    # The name is what Keras Tuner saves: a search that is taken up has had its first trial.
    first = type(kind.__name__, (_DefaultFirst, kind), {})
    return first.from_config(hyperparameter.get_config())


class _Tolerant:
    """An oracle to which an infeasible trial is no failure."""

    @keras_tuner.synchronized
    def end_trial(self, trial: Any) -> None:
        """Ends a trial; an infeasible one is INVALID and counts among no failures in a row."""
        if InfeasibleTrialError.__name__ not in (trial.message or ""):
            super().end_trial(trial)
            return
        limit, self.max_consecutive_failed_trials = self.max_consecutive_failed_trials, None
        try:
            super().end_trial(trial)
        finally:
            self.max_consecutive_failed_trials = limit
        ended = self.trials[trial.trial_id]
        ended.status = "INVALID"
        self._save_trial(ended)
        for bracket in getattr(self, "_brackets", ()):
            # Hyperband waits for each trial of a round: another one takes the place.
            first = bracket["rounds"][0]
            first[:] = [row for row in first if row["id"] != trial.trial_id]
        self.save()
        self._check_end()

    def _check_end(self) -> None:
        last = [self.trials[key].status for key in self.end_order[-MOST_INFEASIBLE:]]
        if last.count("INVALID") == MOST_INFEASIBLE:
            raise InputError(
                f"The last {MOST_INFEASIBLE} trials were infeasible; raise the limits, or narrow "
                f"the space. {self.trials[self.end_order[-1]].message.splitlines()[-1]}"
            )


def tolerate_infeasible(tuner: keras_tuner.Tuner) -> None:
    """Makes infeasible trials of a tuner INVALID, and not failures, some of which end a search.

    The hyper-models of this package do it by themselves where tuner and oracle are in one process.

    Args:
        tuner: any; its oracle is changed.
    """
    kind = type(tuner.oracle)
    if isinstance(tuner.oracle, keras_tuner.Oracle) and not issubclass(kind, _Tolerant):
        tuner.oracle.__class__ = type(kind.__name__, (_Tolerant, kind), {})
