"""Claims at work: what is written, what a kill leaves, and what another question gets."""

import contextlib
import json
import re

import pytest

from keras_convnets import claims
from keras_convnets.claims import plan, reproduction
from keras_convnets.claims.arms import Net
from keras_convnets.errors import DivergedError, InputError, StoppedError
from keras_convnets.locking import locked
from keras_convnets.training import Run, fit
from keras_convnets.training.monitor import Monitor

pytestmark = pytest.mark.usefixtures("quick")


MEASURE = plan._measure  # before the fixture takes it away


class Killed(BaseException):
    """What kill -9 is to a loop."""


def test_runs_are_of_equal_length_and_such_that_any_verb_can_use_them(
    tiny_claim, question, tmp_path
):
    results = claims.reproduce(tiny_claim, tmp_path / "out", seeds=1, **question)
    assert results == json.loads((tmp_path / "out" / "results.json").read_text())
    assert (tmp_path / "out" / "figure.png").read_bytes().startswith(b"\x89PNG")
    for arm in results["arms"]:
        [run] = arm["runs"]
        assert [row["step"] for row in run["curve"]] == [1, 2, results["steps"]] == [1, 2, 3]
        kept = Run(tmp_path / "out" / run["path"])
        assert kept.is_finished
        assert (kept.settings.seed, kept.evaluation) == (0, run["evaluation"])
        assert arm["figures"]["test_top1"] == [100 * kept.evaluation["top1"]]
        assert arm["parameters"] == kept.load_model().count_params()
    assert results["command"].startswith("keras-convnets reproduce tiny --data folder:")
    assert "tensorflow" in results["versions"]


def test_a_bar_follows_the_steps_of_a_run_that_goes_on(tiny_claim, question, tmp_path, monkeypatch):
    moved = []

    @contextlib.contextmanager
    def counting(what, total, quiet):
        moved.append([what, total])
        yield moved[-1].append

    monkeypatch.setattr(reproduction, "counting", counting)
    original, killed = Monitor.on_train_batch_end, []

    def end(self, batch, logs=None):
        original(self, batch, logs)
        if self._job.progress.steps == 2 and not killed:
            killed.append(True)
            self._job.checkpoints.save()
            raise Killed

    monkeypatch.setattr(Monitor, "on_train_batch_end", end)
    with pytest.raises(Killed):
        claims.reproduce(tiny_claim, tmp_path / "out", seeds=1, **question)
    claims.reproduce(tiny_claim, tmp_path / "out", seeds=1, **question)
    assert moved == [
        ["plain, seed 0", 3, 1, 1],
        ["plain, seed 0", 3, 3],
        ["mirrored, seed 0", 3, 1, 1, 1],
    ]


def test_arms_are_compared_seed_by_seed(tiny_claim, question, tmp_path, instant):
    results = claims.reproduce(tiny_claim, tmp_path / "out", seeds=3, **question)
    assert instant[:3] == ["plain-seed0", "mirrored-seed0", "plain-seed1"]
    assert [run["seed"] for run in results["arms"][0]["runs"]] == [0, 1, 2]
    [found] = results["findings"]
    assert found["estimate"] == pytest.approx(5)  # the second arm is 0.05 worse by `instant`
    assert results["verdict"] == "holds"


def test_a_killed_claim_goes_on_and_ends_as_if_it_had_not_been(
    tiny_claim, question, tmp_path, monkeypatch
):
    question["seeds"] = 1
    whole = claims.reproduce(tiny_claim, tmp_path / "whole", **question)
    original, left = fit._end_epoch, [2]

    def die(job, rows):
        left[0] -= 1
        if not left[0]:
            raise Killed
        return original(job, rows)

    monkeypatch.setattr(fit, "_end_epoch", die)
    with pytest.raises(Killed):
        claims.reproduce(tiny_claim, tmp_path / "out", **question)
    runs = sorted(path.name for path in (tmp_path / "out" / "runs").iterdir())
    assert runs == ["mirrored-seed0", "plain-seed0"]
    trained = []
    original_train = reproduction._train
    monkeypatch.setattr(fit, "_end_epoch", original)
    monkeypatch.setattr(
        reproduction, "_train", lambda *job: (trained.append(job[2].about), original_train(*job))
    )
    (tmp_path / "out" / "runs" / ".1.partial.mirrored-seed0").mkdir()
    again = claims.reproduce(tiny_claim, tmp_path / "out", **question)
    assert trained == ["mirrored, seed 0"]
    assert not list((tmp_path / "out" / "runs").glob(".*"))
    for name in ("findings", "steps", "verdict"):
        assert again[name] == whole[name]
    assert [arm["figures"] for arm in again["arms"]] == [arm["figures"] for arm in whole["arms"]]


def test_another_question_needs_another_folder(tiny_claim, question, tmp_path, instant):
    claims.reproduce(tiny_claim, tmp_path / "out", seeds=1, **question)
    sentence = re.escape(f"The folder {str(tmp_path / 'out')!r} holds another reproduction")
    with pytest.raises(InputError, match=f"{sentence}.*Received: seeds 2 where it began with 1"):
        claims.reproduce(tiny_claim, tmp_path / "out", seeds=2, **question)


def test_each_arm_is_tuned_on_images_that_it_holds_out(tiny_claim, question, tmp_path, instant):
    results = claims.reproduce(tiny_claim, tmp_path / "out", seeds=1, trials=4, **question)
    kept = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert kept["trials"][0] == [0.05, 1e-5]  # the claim's own
    assert instant[:2] == ["plain-trial1", "plain-trial2"]
    for arm in results["arms"]:
        scores = [
            Run(tmp_path / "out" / "tuning" / f"{arm['name']}-trial{number}").history[-1][
                "val_top1"
            ]
            for number in (1, 2, 3, 4)
        ]
        assert max(scores) > scores[0]
        best = kept["trials"][scores.index(max(scores))]
        assert arm["rate_and_l2"] == best
        final = Run(tmp_path / "out" / arm["runs"][0]["path"]).recipe
        assert [final.schedule.value.rate, final.l2.value] == best


def test_trials_are_drawn_evenly_in_the_logarithm(tiny_claim):
    trials = plan.draw_trials(400, tiny_claim)
    assert trials == plan.draw_trials(400, tiny_claim)
    rates, decays = zip(*trials[1:], strict=True)
    assert 0.005 <= min(rates) < 0.006
    assert 0.42 < max(rates) <= 0.5
    assert min(decays) >= 1e-6
    assert max(decays) <= 1e-3
    assert 0.4 < sum(rate < 0.05 for rate in rates) / 399 < 0.6  # the middle of the two ends


def test_a_run_that_diverges_counts_as_chance(
    tiny_claim, question, tmp_path, write_run, monkeypatch
):
    def train(recipe, out, seed, quiet, **rest):
        is_whole = "plain" in out.name
        write_run(out, recipe, seed, (0.8, 0.9), is_done=is_whole)
        if not is_whole:
            raise DivergedError("The loss", 3)

    monkeypatch.setattr(reproduction.training, "train", train)
    results = claims.reproduce(tiny_claim, tmp_path / "out", seeds=1, **question)
    assert results["arms"][1]["figures"]["test_top1"] == [50.0]  # of two classes
    assert (
        "mirrored, seed 0: The loss became NaN or infinite at step 3; it counts as chance."
        in (results["remarks"])
    )
    monkeypatch.setattr(reproduction, "_train", None)  # it is not tried again
    assert claims.reproduce(tiny_claim, tmp_path / "out", seeds=1, **question) == results


def test_speeds_between_those_that_were_measured_lie_on_a_line(tiny_claim, monkeypatch):
    """Of five arms four are measured, evenly by their cost."""

    class Rates:
        compute, input = 3200.0, 6400.0

    monkeypatch.setattr(plan, "_FIXED_SECONDS", 6.0)
    monkeypatch.setattr(plan, "_TRACES", 0.0)

    monkeypatch.setattr(plan.training, "profile", lambda recipe, **rest: Rates)
    nets = [Net(tiny_claim.arms[0], {}, 0, macs) for macs in (5, 1, 3, 2, 4)]
    speeds = MEASURE(tiny_claim, nets, "fashion_mnist_6k", 1000)
    assert [speed.is_measured for speed in speeds].count(True) == 4
    assert [speed.step for speed in speeds] == pytest.approx([4 / 3200 + 4 / 6400] * 5)
    assert [speed.image for speed in speeds] == pytest.approx([0.25 / 3200] * 5)
    assert [speed.run for speed in speeds] == pytest.approx([6 + 1000 * 0.25 / 3200] * 5)


def test_a_signal_says_how_to_go_on(tiny_claim, question, tmp_path, monkeypatch):
    def stop(*job):
        raise StoppedError("Stopped by SIGTERM at step 1 of 3; `keras-convnets train ...`")

    monkeypatch.setattr(reproduction, "_train", stop)
    with pytest.raises(StoppedError, match="step 1 of 3; the same command goes on from there"):
        claims.reproduce(tiny_claim, tmp_path / "out", **question)


@pytest.mark.parametrize(
    ("option", "value"), [("seeds", 0), ("minutes", 0), ("images", -1), ("trials", -1)]
)
def test_amounts_are_checked_before_anything_is_written(
    option, value, tiny_claim, question, tmp_path
):
    with pytest.raises(InputError, match=f"Received: {value}"):
        claims.reproduce(tiny_claim, tmp_path / "out", **{**question, option: value})
    assert not (tmp_path / "out").exists()


def test_the_length_is_what_the_time_allows_for_all_arms_together():
    """600 s less 2 x 2 runs of 10 s fixed; 2 seeds of 10 + 20 ms, with a tenth for evaluation.

    The 12 points of a curve are evaluations of 500 images of 1 ms each.
    """
    speeds = [plan.Speed(0.010, 0.001, 10.0, True), plan.Speed(0.020, 0.001, 10.0, True)]
    asked = plan.Question("tiny", "fashion_mnist", 12_000, seeds=2, minutes=10, trials=0)
    curves = 2 * 2 * 12 * 500 * 0.001
    assert plan._steps(speeds, asked, 600, 500) == int((600 - 40 - curves) / (1.1 * 2 * 0.030))
    tuned = plan.Question("tiny", "fashion_mnist", 12_000, seeds=2, minutes=10, trials=4)
    assert plan._steps(speeds, tuned, 600, 500) == int((600 - 120 - curves) / (1.1 * 3 * 0.030))


def test_a_reproduction_locks_its_folder(tiny_claim, question, tmp_path):
    with locked(tmp_path / "out"), pytest.raises(InputError, match="Another process"):
        claims.reproduce(tiny_claim, tmp_path / "out", **question)
    assert not (tmp_path / "out" / "plan.json").exists()
