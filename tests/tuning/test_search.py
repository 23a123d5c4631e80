"""Searches in folders: what is written, what a kill leaves, and what another question gets."""

import functools
import json
import signal

import pytest

from keras_convnets import recipes, tuning
from keras_convnets.errors import InputError, StoppedError
from keras_convnets.locking import locked
from keras_convnets.stopping import StopRequest
from keras_convnets.training import Run
from keras_convnets.tuning import planning, search
from keras_convnets.tuning.results import best, ended
from keras_convnets.tuning.runner import Runner
from keras_convnets.tuning.search import Search

pytestmark = pytest.mark.filterwarnings("ignore:(currentThread|getName)..:DeprecationWarning")


@pytest.fixture
def trials_do(monkeypatch, trial_command):
    """A function that says what the processes of trials do, instead of training."""

    def apply(lines="end()"):
        command = trial_command(lines)
        monkeypatch.setattr(search, "Runner", functools.partial(Runner, command=command))

    apply()
    return apply


@pytest.fixture
def in_one_process(monkeypatch):
    """Plans are made in this process."""
    monkeypatch.setattr(search, "obtain", planning.make)


@pytest.fixture
def run(tmp_path, make_plan, monkeypatch):
    """A function that runs a search of LeNet-5 without data; returns the content of trials.json."""
    monkeypatch.setattr(Search, "_module", lambda self, top, count: f"# {top.task.id} of {count}")

    def run(trials=5, stop=None, quiet=True, **fields):
        plan = make_plan(**fields)
        plan.write(tmp_path)
        at_work = Search(tmp_path, plan, trials, quiet)
        at_work.run(1, None, stop or StopRequest())
        return at_work.finish()

    return run


def test_all_is_in_one_file(run, trials_do, tmp_path):
    results = run()
    assert results == json.loads((tmp_path / "trials.json").read_text())
    assert results["counts"] == {"completed": 5, "failed": 0, "infeasible": 0}
    assert [trial["id"] for trial in results["trials"]] == list("01234")
    first = results["trials"][0]
    assert first["values"] == {"rate": 5e-4, "l2": 0.0}
    assert (first["status"], first["objective"], first["path"]) == ("completed", 1.0, "trials/0")
    assert (first["curve"], first["seconds"], first["peak_memory"]) == ([], 0.1, 1 << 20)
    assert first["search_memory"] > 100 << 20
    assert results["objective"] == {"name": "val_top1", "direction": "max"}
    assert list(results["space"]) == ["rate", "l2"]
    assert (tmp_path / "best.py").read_text() == "# 0 of 5"


def test_the_memory_of_the_search_stays_flat_over_20_trials(run, trials_do):
    results = run(trials=20)
    sizes = [trial["search_memory"] for trial in results["trials"]]
    assert len(sizes) == 20
    assert max(sizes) - sizes[2] < 4 << 20  # the first ones fill caches


def test_the_search_goes_on_behind_every_failure(run, trials_do, tmp_path):
    trials_do(
        "kinds = {'0': lambda: end('failed', cause='diverged', reason='It diverged.'), "
        "'1': lambda: os.kill(os.getpid(), signal.SIGSEGV), "
        "'2': lambda: end('infeasible', reason='It is too large.'), '3': lambda: sys.exit(1)}\n"
        "kinds.get(key, end)()"
    )
    results = run()
    assert [trial["status"] for trial in results["trials"]] == [
        "failed",
        "failed",
        "infeasible",
        "failed",
        "completed",
    ]
    assert [trial["cause"] for trial in results["trials"]] == [
        "diverged",
        "crash",
        None,
        "crash",
        None,
    ]
    assert results["counts"] == {"completed": 1, "failed": 3, "infeasible": 1}
    assert results["best"] == "4"


def test_a_search_without_a_completed_trial_has_no_best(run, trials_do, tmp_path):
    trials_do("sys.exit(1)")
    assert run(trials=2)["best"] is None
    assert not (tmp_path / "best.py").exists()


def test_of_equal_trials_that_with_the_least_loss_is_the_best(run, trials_do, tmp_path):
    trials_do("end(objective=0.5, loss={'0': 1.0, '1': 0.5, '2': 0.7}[key])")
    run(trials=3)
    assert best(ended(tmp_path)).task.id == "1"


def test_a_finished_search_starts_nothing(run, trials_do, tmp_path, starts):
    results = run()
    assert run() == results
    assert len(starts(tmp_path)) == 5


def test_a_search_goes_on_where_it_was_stopped(run, trials_do, tmp_path, starts):
    stop = StopRequest()
    trials_do(
        "if key == '2' and starts == 1:\n    (folder / 'stop').touch(); time.sleep(60)\nend()"
    )
    real = Runner._watch

    class Stopping(StopRequest):
        @property
        def name(self):
            return "SIGTERM" if (tmp_path / "stop").exists() else None

        @name.setter
        def name(self, value):
            pass

    with pytest.raises(StoppedError, match="Stopped by SIGTERM; the same command goes on"):
        run(stop=Stopping())
    assert Runner._watch is real
    (tmp_path / "stop").unlink()
    results = run(stop=stop)
    assert starts(tmp_path) == ["0", "1", "2", "2", "3", "4"]
    assert results["counts"]["completed"] == 5
    assert all(trial["search_memory"] for trial in results["trials"])


def test_lines_tell_what_each_trial_found(run, trials_do, capsys):
    trials_do(
        "end(objective=0.5 + int(key) / 10) if key != '1' else "
        "end('infeasible', reason='It is too large.')"
    )
    run(trials=3, quiet=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 trials, random: rate, l2"
    assert lines[1] == "trial 0: val top-1 50.00% in 0 s (rate 0.0005, l2 0), the best so far"
    assert lines[2].startswith("trial 1: infeasible (rate ")
    assert lines[2].endswith("): It is too large.")
    assert lines[3].startswith("trial 2: val top-1 70.00% in 0 s (rate ")
    run(trials=3, quiet=False)
    assert "3 trials, random: rate, l2; 3 are there already" in capsys.readouterr().out


def test_a_resumed_search_knows_the_best_of_before(run, trials_do, capsys):
    trials_do("end(objective=0.9 - int(key) / 10)")
    run(trials=2, quiet=False)
    capsys.readouterr()
    run(trials=3, quiet=False)
    told = capsys.readouterr().out
    assert "trial 2: val top-1 70.00%" in told
    assert "the best so far" not in told


@pytest.fixture
def ask(tiny_recipe, photo_folder, tmp_path, trials_do, in_one_process, monkeypatch):
    """A function that tunes a tiny recipe with trials that take no time."""
    monkeypatch.setattr(Search, "_module", lambda self, top, count: "")
    monkeypatch.setattr(search, "write_apart", lambda folder: None)

    def ask(recipe=tiny_recipe, **options):
        options = {"space": "rate,l2", "data": f"folder:{photo_folder}", "trials": 2, **options}
        return tuning.tune(recipe, tmp_path / "out", quiet=True, **options)

    return ask


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"tuner": "bayesian"}, "tuner bayesian where it began with random"),
        ({"seed": 5}, "seed 5 where it began with 0"),
        ({"space": "rate"}, "l2 of the space nothing where it began with {'low'"),
        ({"space": "rate,l2=1e-6..1e-2"}, "l2 of the space {'low': 1e-06, 'high': 0.01"),
        ({"max_macs": 10**9}, "--max-macs 1000000000 where it began with None"),
        ({"data": "fashion_mnist_6k"}, "data of the recipe fashion_mnist_6k where it began with f"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_another_search_needs_another_folder(changed, difference, ask, tmp_path):
    ask()
    kept = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")}
    with pytest.raises(InputError, match="holds another search") as refused:
        ask(**changed)
    assert difference in str(refused.value)
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")} == kept


def test_another_recipe_needs_another_folder(ask, tiny_recipe):
    ask()
    with pytest.raises(InputError, match="l2 of the recipe 0.25 where it began with 1e-05"):
        ask(tiny_recipe.set("l2", "0.25"))


def test_changed_images_are_noticed(ask, photo_folder):
    ask()
    (photo_folder / "red" / "0.png").unlink()
    with pytest.raises(InputError, match="Received: fingerprint of the images "):
        ask()


def test_more_trials_or_workers_or_time_are_the_same_search(ask):
    ask()
    assert len(ask(trials=4, minutes=5)["trials"]) == 4


def test_a_locked_folder_is_refused(ask, tmp_path):
    with locked(tmp_path / "out"), pytest.raises(InputError, match="Another process works in"):
        ask()


@pytest.mark.parametrize(
    "name",
    ["plan.json", "oracle/oracle.json", "trials/1.json", "trials/0/outcome.json", "trials.json"],
)
def test_a_damaged_folder_is_refused_in_a_sentence(name, ask, tmp_path, damage):
    ask()
    damage(tmp_path / "out" / name)
    with pytest.raises(InputError, match=f"{name}' can't be read as JSON"):
        ask(trials=3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"trials": 0}, "number of trials should be an integer of at least 1. Received: 0"),
        ({"workers": 0}, "number of workers should be an integer of at least 1. Received: 0"),
        ({"minutes": 0}, "minutes of a trial should be a number above 0. Received: 0"),
        ({"tuner": "grid"}, "`tuner` should be one of 'random', 'bayesian', 'hyperband'"),
        ({"seed": -1}, "seed should be an integer of at least 0"),
    ],
    ids=str,
)
def test_bad_input_stops_before_anything_is_written(options, sentence, ask, tmp_path):
    with pytest.raises(InputError, match=sentence):
        ask(**options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"space": "rat"}, "the nearest names are .*rate"),
        ({"max_parameters": 10}, "No setting of the space is within the limits, of 30 .*10"),
        ({"max_memory": 0}, "The limit of bytes of memory in training should be a number above 0"),
    ],
    ids=str,
)
def test_what_can_not_be_searched_stops_before_a_trial(options, sentence, ask, tmp_path):
    with pytest.raises(InputError, match=sentence):
        ask(**options)
    assert not (tmp_path / "out" / "plan.json").exists()


def test_hyperband_wants_whole_epochs(ask, tiny_recipe):
    with pytest.raises(InputError, match="should be those of the longest .*Steps"):
        ask(tiny_recipe.set("length", "Steps(5)"), tuner="hyperband")


def test_limits_that_only_the_recipes_own_setting_exceeds_leave_a_search(ask, tiny_recipe):
    """A thinner net than the recipe's is within them."""
    wide = tiny_recipe.with_model("Xception").set(
        "model_options", "{'small_input': True, 'width_multiplier': 0.25, 'middle_repeats': 0}"
    )
    assert ask(wide, space="width=0.05..0.25", max_parameters=100_000)["trials"]


def test_the_real_thing_from_the_plan_to_the_best_recipe(tiny_recipe, photo_folder, tmp_path):
    """Three processes: that of the plan, a trial, and a plan that can't be."""
    options = {"space": "l2", "data": f"folder:{photo_folder}", "trials": 1, "quiet": True}
    results = tuning.tune(tiny_recipe, tmp_path / "out", **options)
    assert [trial["status"] for trial in results["trials"]] == ["completed"]
    assert (tmp_path / "out" / "report.html").is_file()
    for trial in results["trials"]:
        kept = Run(tmp_path / "out" / trial["path"])
        assert kept.is_finished
        assert kept.history == trial["curve"]
        assert trial["peak_memory"] > 100 << 20
        assert kept.recipe.l2.value == trial["values"]["l2"]
    recipe = recipes.get(tmp_path / "out" / "best.py")
    top = Run(tmp_path / "out" / "trials" / results["best"]).recipe
    assert {field: vars(recipe)[field] for field in ("l2", "data", "classes", "length")} == {
        field: vars(top)[field] for field in ("l2", "data", "classes", "length")
    }
    with pytest.raises(InputError, match="the nearest names are"):
        tuning.tune(tiny_recipe, tmp_path / "out", **{**options, "space": "lr"})


def test_the_report_comes_at_the_end(ask, monkeypatch):
    found = []
    monkeypatch.setattr(search, "write_apart", lambda folder: found.append(trials_in(folder)))
    ask()
    ask(trials=3)
    assert found == [["0", "1"], ["0", "1", "2"]]


def test_the_report_comes_when_a_search_is_stopped(ask, trials_do, monkeypatch, tmp_path):
    found = []
    monkeypatch.setattr(search, "write_apart", lambda folder: found.append(trials_in(folder)))
    trials_do("if key != '0': os.kill(os.getppid(), signal.SIGTERM); time.sleep(60)\nend()")
    with pytest.raises(StoppedError, match=r"SIGTERM; .* So far: .*/out/report.html"):
        ask()
    assert found == [["0"]]


def test_a_report_that_can_not_be_written_does_not_end_a_search(
    run, make_plan, monkeypatch, trials_do, tmp_path, capsys
):
    run()
    monkeypatch.setattr(search, "write_apart", lambda folder: "No space is left.")
    Search(tmp_path, make_plan(), 5, quiet=False).report()
    assert capsys.readouterr().out == "The report can't be written: No space is left.\n"


def trials_in(folder):
    return [trial["id"] for trial in json.loads((folder / "trials.json").read_text())["trials"]]


def test_a_signal_before_the_first_trial_stops(run, trials_do):
    stop = StopRequest()
    stop(signal.SIGTERM, None)
    with pytest.raises(StoppedError, match="SIGTERM"):
        run(stop=stop)
