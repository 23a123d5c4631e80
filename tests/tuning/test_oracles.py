"""Keras Tuner's oracles: what they choose first, and what a kill at any write leaves."""

import json

import keras_tuner
import pytest

from keras_convnets.errors import InputError
from keras_convnets.tuning import oracles
from keras_convnets.tuning.oracles import take_up
from keras_convnets.tuning.outcome import Task

# Of Keras Tuner 1.4.8.
pytestmark = pytest.mark.filterwarnings("ignore:(currentThread|getName)..:DeprecationWarning")

TUNERS = {"random": None, "bayesian": None, "hyperband": 9}


class Killed(BaseException):
    """What kill -9 is to a search."""


@pytest.fixture(params=TUNERS)
def plan(request, make_plan):
    return make_plan(request.param, epochs=TUNERS[request.param])


def resumed(plan, folder, trials=8):
    oracle = plan.oracle(trials)
    take_up(oracle, folder)
    return oracle


def run_all(oracle, outcomes, ran):
    """What `run_trials` does, with `outcomes` for what is on disk and a function for training."""
    while True:
        trial = oracle.create_trial("tuner")
        if trial.status != "RUNNING":
            return
        task = Task.of(trial.trial_id, trial.hyperparameters.values)
        if trial.trial_id not in outcomes:
            ran.append(task)
            outcomes[trial.trial_id] = 0.5 - 100 * task.values["l2"] + (task.epochs or 0) / 100
        oracle.update_trial(trial.trial_id, {"val_top1": outcomes[trial.trial_id]})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)


def test_the_first_trial_is_the_recipes_own_setting(plan, tmp_path):
    ran = []
    run_all(resumed(plan, tmp_path), {}, ran)
    assert ran[0].values == plan.space.defaults(plan.recipe)
    assert len({str(task.values) for task in ran if task.past is None}) > 3
    assert [int(task.id) for task in ran] == list(range(8))


@pytest.mark.parametrize("is_written", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("tuner", ["random", "hyperband"])
def test_a_kill_at_any_write_loses_and_repeats_no_trial(
    tuner, is_written, make_plan, tmp_path, monkeypatch
):
    whole, plan = [], make_plan(tuner, epochs=TUNERS[tuner])
    run_all(resumed(plan, tmp_path / "whole"), {}, whole)
    original, kills = oracles.write_json, 0
    while True:
        folder, outcomes, ran, left = tmp_path / str(kills), {}, [], [kills]

        def write(path, value, left=left):
            left[0] -= 1
            if left[0] == -1 and not is_written:
                raise Killed
            original(path, value)
            if left[0] == -1:
                raise Killed

        monkeypatch.setattr(oracles, "write_json", write)
        try:
            run_all(resumed(plan, folder), outcomes, ran)
        except Killed:
            run_all(resumed(plan, folder), outcomes, ran)
        else:
            break
        kills += 1
        assert ran == whole
        again = resumed(plan, folder)
        assert sorted(again.end_order) == sorted(outcomes)
        assert all(trial.status == "COMPLETED" for trial in again.trials.values())
    assert kills == 8 * 5  # two files when a trial is made, one when it reports, two at its end


def test_what_was_running_at_a_kill_goes_on_first_and_in_order(plan, tmp_path):
    oracle = resumed(plan, tmp_path)
    tasks = [oracle.create_trial(f"worker-{index}") for index in range(3)]
    again = resumed(plan, tmp_path)
    taken = [again.create_trial(f"worker-{index}") for index in range(3)]
    assert [trial.trial_id for trial in taken] == ["0", "1", "2"]
    assert [trial.hyperparameters.values for trial in taken] == [
        trial.hyperparameters.values for trial in tasks
    ]


def test_failures_end_no_search(make_plan, tmp_path):
    oracle = resumed(make_plan(), tmp_path)
    for _ in range(8):
        trial = oracle.create_trial("tuner")
        trial.status = "FAILED"
        oracle.end_trial(trial)
    assert oracle.create_trial("tuner").status == "STOPPED"


def test_a_longer_search_goes_on_behind_the_end(make_plan, tmp_path):
    outcomes, ran = {}, []
    run_all(resumed(make_plan(), tmp_path), outcomes, ran)
    run_all(resumed(make_plan(), tmp_path, trials=11), outcomes, ran)
    assert sorted(map(int, outcomes)) == list(range(11))
    assert len(ran) == 11


def test_hyperband_promotes_the_best_to_more_epochs(make_plan, tmp_path):
    outcomes, ran = {}, []
    run_all(resumed(make_plan("hyperband", epochs=9), tmp_path, trials=13), outcomes, ran)
    first = [task for task in ran if task.round == 0]
    assert {task.epochs for task in first} == {1}
    assert {(task.past_epochs, task.epochs) for task in ran if task.round == 1} == {(1, 3)}
    best = min(first[:9], key=lambda task: task.values["l2"])
    promoted = next(task for task in ran if task.past == best.id)
    assert promoted.values == best.values


def test_a_failure_is_the_worst_of_its_round_of_hyperband(make_plan, tmp_path):
    """Nine trials of one epoch, of which two fail; three of three epochs, one of nine."""
    oracle, rounds = resumed(make_plan("hyperband", epochs=9), tmp_path, trials=13), []
    for index in range(13):
        trial = oracle.create_trial("tuner")
        rounds.append(trial.hyperparameters.values["tuner/round"])
        trial.status = "FAILED" if index in (2, 5) else "COMPLETED"
        if trial.status == "COMPLETED":
            oracle.update_trial(trial.trial_id, {"val_top1": 0.5 + index / 100})
        oracle.end_trial(trial)
    assert rounds == [0] * 9 + [1] * 3 + [2]
    promoted = [
        trial.hyperparameters.values.get("tuner/trial_id") for trial in oracle.trials.values()
    ]
    assert not {"02", "05"} & set(promoted)


def test_bayesian_search_tries_nothing_twice(make_plan, tmp_path):
    """Of 5 settings each is tried once, where Keras Tuner's own would repeat the best."""
    plan = make_plan("bayesian", space="l2=1e-6|1e-5|1e-4|1e-3")
    outcomes, ran = {}, []
    run_all(resumed(plan, tmp_path, trials=4), outcomes, ran)
    run_all(resumed(plan, tmp_path, trials=6), outcomes, ran)
    assert len({str(task.values) for task in ran}) == len(ran) == 5


@pytest.mark.parametrize("name", ["oracle.json", "trial_1/trial.json"])
def test_damaged_files_are_refused_in_a_sentence(name, make_plan, tmp_path, damage):
    run_all(resumed(make_plan(), tmp_path), {}, [])
    damage(tmp_path / "oracle" / name)
    with pytest.raises(InputError, match=f"{name}' can't be read as JSON"):
        resumed(make_plan(), tmp_path)


@pytest.mark.parametrize("name", ["oracle.json", "trial_1/trial.json"])
def test_files_of_something_else_are_refused_in_a_sentence(name, make_plan, tmp_path):
    run_all(resumed(make_plan(), tmp_path), {}, [])
    (tmp_path / "oracle" / name).write_text(json.dumps({"start_order": ["1"]}))
    with pytest.raises(InputError, match="oracle' is damaged"):
        resumed(make_plan(), tmp_path)


def test_grid_search_is_left_out_for_it_ends_early_when_resumed(tmp_path):
    """Keras Tuner 1.4.8 (issue 1055): if this fails, the oracle can be offered."""
    hp = keras_tuner.HyperParameters()
    hp.Choice("l2", [1, 2, 3, 4])

    def make():
        objective = keras_tuner.Objective("val_top1", "max")
        oracle = keras_tuner.oracles.GridSearchOracle(objective, hyperparameters=hp)
        oracle.max_trials, oracle.verbose = 9, 0
        oracle._set_project_dir(tmp_path, "grid")
        return oracle

    def run_one(oracle):
        trial = oracle.create_trial("tuner")
        if trial.status == "RUNNING":
            oracle.update_trial(trial.trial_id, {"val_top1": 1.0})
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
            oracle.save()
        return trial.status

    first = make()
    assert [run_one(first) for _ in range(2)] == ["COMPLETED"] * 2
    again = make()
    again.reload()
    assert run_one(again) == "STOPPED"  # two of four were tried
