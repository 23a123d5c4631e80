"""What the process of a trial trains, and what it says of its end."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from keras_convnets.errors import DivergedError, InputError, StoppedError
from keras_convnets.training import (
    Cosine,
    Epochs,
    HeadPhase,
    Polynomial,
    Run,
    Steps,
    Warmup,
    choice,
    schedules,
)
from keras_convnets.training.job import Job
from keras_convnets.tuning import planning, trial
from keras_convnets.tuning.outcome import Task, keep_task, read_outcome, run_path
from keras_convnets.tuning.plan import Plan, Question
from keras_convnets.tuning.trial import begins, recipe_of, work

VALUES = {"rate": 0.02, "l2": 1e-4}


@pytest.fixture
def make(tiny_recipe, photo_folder, tmp_path):
    """A function that plans a search; returns its folder."""

    def make(data=None, **question):
        folder = tmp_path / "search"
        folder.mkdir()
        data = data or f"folder:{photo_folder}"
        planning.make(Question(tiny_recipe, "rate,l2", data=data, **question), folder)
        return folder

    return make


def run(folder, task):
    keep_task(folder, task)
    return work(folder, task.id)


def test_a_trial_is_a_run_of_the_recipe_with_its_values(make):
    folder = make(seed=3)
    outcome = run(folder, Task("0", VALUES))
    kept = Run(run_path(folder, "0"))
    assert kept.is_finished
    assert kept.settings.seed == 3
    assert (kept.recipe.schedule.value.initial, kept.recipe.l2.value) == (0.02, 1e-4)
    last = kept.history[-1]
    assert (outcome.objective, outcome.loss) == (last["val_top1"], last["val_loss"])
    assert outcome.parameters == kept.load_model().count_params()
    assert outcome.macs > 100_000


def test_no_trial_reads_test_images(make, shapes, monkeypatch):
    read, original = [], Job.evaluate
    monkeypatch.setattr(
        Job, "evaluate", lambda job, name, *rest: (read.append(name), original(job, name, *rest))[1]
    )
    folder = make(data=f"csv:{shapes}")
    outcome = run(folder, Task("0", VALUES))
    assert set(read) == {"validation"}
    evaluation = Run(run_path(folder, "0")).evaluation
    assert evaluation["split"] == "validation"
    assert outcome.objective == pytest.approx(evaluation["map_at_100"])  # several labels each


def test_a_half_done_trial_goes_on_from_its_checkpoint(make, monkeypatch):
    folder = make()
    original, left = Job.check_stop, [1]

    def stop(job):
        left[0] -= 1
        if not left[0]:
            raise StoppedError("Stopped")

    monkeypatch.setattr(Job, "check_stop", stop)
    with pytest.raises(StoppedError):
        run(folder, Task("0", VALUES))
    assert len(Run(run_path(folder, "0")).history) == 1
    monkeypatch.setattr(Job, "check_stop", original)
    monkeypatch.setattr(trial.training, "train", None)  # it is resumed
    assert run(folder, Task("0", VALUES)).status == "completed"
    assert len(Run(run_path(folder, "0")).history) == 2


def test_a_promoted_trial_goes_on_and_ends_as_if_it_had_begun_with_its_length(make):
    folder = make(tuner="hyperband")
    assert not run(folder, Task("0", VALUES, epochs=1)).continued
    outcome = run(folder, Task("1", VALUES, epochs=2, past="0", past_epochs=1))
    assert outcome.continued
    assert not run(folder, Task("2", VALUES, epochs=2)).continued
    short, longer, whole = (Run(run_path(folder, key)) for key in "012")
    assert len(short.history) == 1  # as it was
    for row, other in zip(longer.history, whole.history, strict=True):
        assert {**row, "seconds": 0} == {**other, "seconds": 0}
    for ours, theirs in zip(
        longer.load_model().get_weights(), whole.load_model().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_promoted_trial_whose_rates_follow_the_length_begins_anew(make, tiny_recipe, tmp_path):
    folder = make(tuner="hyperband")
    plan = json.loads((folder / "plan.json").read_text())
    plan["question"]["recipe"]["schedule"]["value"] = {"parse": "Cosine(0.1, warmup=None)"}
    (folder / "plan.json").write_text(json.dumps(plan))
    run(folder, Task("0", VALUES, epochs=1))
    outcome = run(folder, Task("1", VALUES, epochs=2, past="0", past_epochs=1))
    assert not outcome.continued
    assert len(Run(run_path(folder, "1")).history) == 2


ALL = [
    schedules.Constant(0.1),
    schedules.Exponential(0.1, rate=0.5, every=Epochs(1)),
    schedules.Piecewise((0.1, 0.01), (Steps(3),)),
    Cosine(0.1),
    Cosine(0.1, warmup=None),
    Polynomial(0.1, power=1),
    Warmup(0.01, 0.8, Cosine(0.1, warmup=None)),
    Warmup(0.01, 0.8, schedules.Constant(0.1)),
    schedules.Plateau(0.1),
]


@pytest.mark.parametrize("schedule", ALL, ids=str)
def test_a_longer_run_begins_with_a_shorter_one_if_its_rates_do(tiny_recipe, schedule):
    short = tiny_recipe.replace(schedule=choice(schedule, "a test"))
    long = short.scaled(length=Epochs(4))

    def rates(steps):
        built = (schedule.then if isinstance(schedule, Warmup) else schedule).build(10, 4, steps)
        return [float(built(step)) if callable(built) else built for step in range(15)]

    assert begins(short, long) == (rates(20) == rates(40))


def test_a_longer_run_with_a_head_phase_begins_otherwise(tiny_recipe):
    phase = HeadPhase(Epochs(1), schedules.Constant(0.1))
    short = tiny_recipe.replace(head_phase=choice(phase, "given by the user"))
    assert not begins(short, short.scaled(length=Epochs(4)))


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        (DivergedError("The loss", 7), "diverged", "The loss became NaN or infinite at step 7."),
        (MemoryError(), "memory", "The memory ran out: MemoryError()"),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nand more"),
            "memory",
            "The memory ran out: OOM when allocating tensor",
        ),
        (RuntimeError("no such luck"), "crash", "RuntimeError: no such luck"),
        (InputError("There are too few images."), "crash", "There are too few images."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_has_its_cause_and_its_reason(error, cause, reason, make, monkeypatch):
    def train(*_, **__):
        raise error

    monkeypatch.setattr(trial.training, "train", train)
    outcome = run(make(), Task("0", VALUES))
    assert (outcome.status, outcome.cause, outcome.reason) == ("failed", cause, reason)
    assert outcome.parameters > 10_000


def test_a_net_beyond_the_limits_is_infeasible_and_not_built(make, monkeypatch):
    folder = make(parameters=70_000)
    kept = Plan.read(folder)
    monkeypatch.setattr(trial.training, "train", None)
    plan = json.loads((folder / "plan.json").read_text())
    plan["question"]["parameters"] = 1000
    (folder / "plan.json").write_text(json.dumps(plan))
    assert kept.limits.parameters == 70_000
    outcome = run(folder, Task("0", VALUES))
    assert (outcome.status, outcome.cause) == ("infeasible", None)
    assert "trainable parameters, where the limit is 1,000" in outcome.reason


def test_what_a_kill_left_of_a_new_run_is_removed(make):
    folder = make()
    leftover = run_path(folder, "0").with_name(".1.partial.0")
    leftover.mkdir(parents=True)
    assert run(folder, Task("0", VALUES)).status == "completed"
    assert not leftover.exists()


def test_the_process_writes_the_outcome_and_the_values_for_tensorboard(make):
    folder = make()
    keep_task(folder, Task("0", VALUES))
    trial.main(folder, "0", began=0.0)
    outcome = read_outcome(folder, "0")
    assert outcome.status == "completed"
    assert outcome.seconds > 1e9  # since 1970
    assert outcome.peak_memory > 100 << 20
    logs = EventAccumulator(str(run_path(folder, "0") / "tensorboard")).Reload()
    [content] = logs.PluginTagToContent("hparams").values()
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    values = {name: value.number_value for name, value in data.session_start_info.hparams.items()}
    assert values == VALUES
    assert "val_top1" in logs.Tags()["tensors"]


def test_a_stopped_process_says_so_by_its_exit_code(make, monkeypatch):
    folder = make()
    keep_task(folder, Task("0", VALUES))

    def train(*_, **__):
        raise StoppedError("Stopped")

    monkeypatch.setattr(trial.training, "train", train)
    with pytest.raises(SystemExit) as end:
        trial.main(folder, "0", began=0.0)
    assert end.value.code == 75
    assert read_outcome(folder, "0") is None


def test_hyperbands_length_is_the_trials(make):
    folder = make(tuner="hyperband")
    assert recipe_of(Plan.read(folder), Task("0", VALUES, epochs=1)).length.value == Epochs(1)
    assert recipe_of(Plan.read(folder), Task("0", VALUES)).length.value == Epochs(2)
