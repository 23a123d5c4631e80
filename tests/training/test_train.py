"""Whole runs on a few small images."""

import csv
import json
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.errors import DivergedError, InputError, StoppedError
from keras_convnets.training import Piecewise, Run, Steps, choice, resume, train
from keras_convnets.training.preparation import absolute_spec
from keras_convnets.training.run import FINAL_FILES
from keras_convnets.training.schedules import Constant, Epochs


@pytest.fixture
def go(tiny_recipe, photo_folder, tmp_path):
    """A function that trains on the red and blue images."""

    def apply(name="run", recipe=None, **options):
        return train(
            recipe or tiny_recipe,
            data=f"folder:{photo_folder}",
            out=tmp_path / name,
            quiet=True,
            **options,
        )

    return apply


def test_a_run_writes_all_that_it_promises(go):
    run = go()
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        "recipe.json", "settings.json", "versions.json", "history.csv", "checkpoints",
        "tensorboard", "model.keras", "model.json", "evaluation.json", "report.html",
    }  # fmt: skip
    with (run.path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["epoch", "step", "samples", "seconds"]
    assert {"loss", "top1", "val_loss", "val_top1"} < set(rows[0])
    assert [row["samples"] for row in rows] == ["20", "40"]  # 22 images, batches of 4
    evaluation = json.loads((run.path / "evaluation.json").read_text())
    assert list(evaluation) == ["split", "epoch", "n", "top1", "top5", "loss", "weights"]
    assert (evaluation["split"], evaluation["n"]) == ("validation", 2)  # the folder has no test
    recipe = json.loads((run.path / "recipe.json").read_text())
    assert recipe["optimizer"]["source"] == "section 4.2"
    assert any((run.path / "tensorboard").iterdir())
    page = run.report.read_text()
    assert page.count("data:image/png;base64,") == 3
    assert "section 4.2" in page


def test_it_learns(tiny_recipe, go):
    """Red from blue, within a few passes."""
    recipe = tiny_recipe.replace(
        length=choice(Epochs(12), "enough"), schedule=choice(Constant(0.02), "steady")
    )
    run = go(recipe=recipe)
    assert run.history[-1]["loss"] < 0.5 * run.history[0]["loss"]
    assert run.history[-1]["top1"] > 0.9


def test_same_seed_same_bits(go, assert_alike, tiny_xception):
    first = go("a", recipe=tiny_xception, seed=5)
    assert_alike(first, go("b", recipe=tiny_xception, seed=5))
    other = go("c", recipe=tiny_xception, seed=6)
    pair = (run.load_model().get_weights()[0] for run in (first, other))
    assert not np.array_equal(*pair)


@pytest.mark.parametrize(
    ("step", "kind"),
    [(3, "tiny_recipe"), (5, "tiny_recipe"), (8, "tiny_recipe"), (3, "tiny_xception")],
)
def test_a_killed_and_resumed_run_ends_with_the_same_bits(
    go, kill, assert_alike, step, kind, tmp_path, request
):
    """Within an epoch, at its end, and in the second one."""
    options = {"recipe": request.getfixturevalue(kind), "checkpoint_every": 2}
    if kind == "tiny_xception":
        options["mixed_precision"] = "float16"  # the loss scale must survive too
    unbroken = go("unbroken", **options)
    kill(step, lambda: go("broken", **options))
    (tmp_path / "broken" / ".1.partial.history.csv").write_text("half")
    newest = tf.train.latest_checkpoint(tmp_path / "broken" / "checkpoints")
    assert step - int(newest.rpartition("-")[2]) <= 2  # steps lost
    resumed = resume(tmp_path / "broken", quiet=True)
    assert_alike(resumed, unbroken)
    assert {path.name for path in resumed.path.iterdir()} == {
        path.name for path in unbroken.path.iterdir()
    }


@pytest.mark.parametrize("damage", ["newest", "both"])
def test_damaged_checkpoints_fall_back_to_the_older_one(go, kill, assert_alike, damage, tmp_path):
    unbroken = go("unbroken", checkpoint_every=2)
    kill(8, lambda: go("broken", checkpoint_every=2))
    files = sorted((tmp_path / "broken" / "checkpoints").glob("*.data-*"))
    assert [file.name.partition(".")[0] for file in files] == ["ckpt-6", "ckpt-8"]
    for file in files if damage == "both" else files[1:]:
        file.write_bytes(file.read_bytes()[:100])
    if damage == "both":
        with pytest.raises(InputError, match="No checkpoint in .* fits"):
            resume(tmp_path / "broken", quiet=True)
    else:
        assert_alike(resume(tmp_path / "broken", quiet=True), unbroken)


def test_death_before_the_first_checkpoint_starts_again(go, kill, assert_alike, tmp_path):
    unbroken = go("unbroken", checkpoint_every=3)
    kill(1, lambda: go("broken", checkpoint_every=3))
    assert_alike(resume(tmp_path / "broken", quiet=True), unbroken)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_save_the_very_step(go, dying, assert_alike, number, tmp_path):
    unbroken = go("unbroken")
    before = signal.getsignal(number)
    undo = dying(3, lambda: signal.raise_signal(number))
    with pytest.raises(StoppedError, match=r"at step 4 of 10; `keras-convnets train --resume"):
        go("stopped", checkpoint_every=100)
    undo()
    assert signal.getsignal(number) is before
    assert_alike(resume(tmp_path / "stopped", quiet=True), unbroken)


def test_a_finished_run_is_not_trained_again(go):
    run = go()
    changed = (run.path / "model.keras").stat().st_mtime_ns
    assert resume(run.path, quiet=True).is_finished
    assert (run.path / "model.keras").stat().st_mtime_ns == changed


def test_nan_stops_with_step_and_advice(go, tiny_recipe, tmp_path):
    recipe = tiny_recipe.replace(
        schedule=choice(Constant(1e30), "absurd"), length=choice(Epochs(4), "enough")
    )
    with pytest.raises(DivergedError, match=r"at step \d+; lower the learning rate"):
        go("mad", recipe=recipe, checkpoint_every=1)
    assert not (tmp_path / "mad" / "model.keras").exists()


def test_what_is_kept_of_a_run_that_diverges_is_finite(go, tiny_recipe, tmp_path):
    rates = Piecewise((0.01, 1e30), (Steps(3),))
    recipe = tiny_recipe.replace(schedule=choice(rates, "goes mad after three steps"))
    with pytest.raises(DivergedError, match="lower the learning rate"):
        go("mad", recipe=recipe, checkpoint_every=1)
    newest = tf.train.latest_checkpoint(tmp_path / "mad" / "checkpoints")
    assert newest is not None
    for name, _ in tf.train.list_variables(newest):
        value = tf.train.load_variable(newest, name)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert np.all(np.isfinite(value)), name


def test_an_evaluation_that_is_no_number_is_divergence(go, tiny_recipe, tmp_path):
    """The loss of the one step is finite, and so are the huge weights after it."""
    recipe = tiny_recipe.replace(
        schedule=choice(Constant(1e25), "absurd"), length=choice(Steps(1), "one")
    )
    with pytest.raises(DivergedError, match="The (validation loss|weight)"):
        go("mad", recipe=recipe)
    assert not (tmp_path / "mad" / "evaluation.json").exists()


@pytest.mark.parametrize(("epochs", "step"), [(1, 5), (2, 10), (0.5, 2)])
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_death_in_the_last_step_loses_no_row(
    go, dying, killed, assert_alike, tiny_recipe, epochs, step, how, tmp_path
):
    recipe = tiny_recipe.replace(length=choice(Epochs(epochs), "short"))
    unbroken = go("unbroken", recipe=recipe, checkpoint_every=1)
    undo = dying(step, None if how == "kill" else lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises((killed, StoppedError)):
        go("broken", recipe=recipe, checkpoint_every=1)
    undo()
    resumed = resume(tmp_path / "broken", quiet=True)
    assert_alike(resumed, unbroken)


@pytest.mark.parametrize("name", FINAL_FILES)
def test_a_finished_run_that_lost_a_file_is_finished_again(go, name):
    run = go()
    (run.path / name).unlink()
    assert not run.is_finished
    assert resume(run.path, quiet=True).is_finished


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("settings.json", '{"seed": "x"}', "bad settings.json"),
        ("settings.json", "[", "can't be read as JSON"),
        ("recipe.json", "[]", "no recipe.json"),
        ("history.csv", "epoch,step\n1", "is damaged"),
        ("history.csv", "", "has 0 rows, and its checkpoint 1 epochs"),
    ],
)
def test_damaged_runs_are_named(go, kill, name, content, message, tmp_path):
    kill(8, lambda: go("run"))
    (tmp_path / "run" / name).write_text(content)
    with pytest.raises(InputError, match=message):
        resume(tmp_path / "run", quiet=True)


def test_class_names_may_be_anything(go, photo_folder):
    (photo_folder / "red").rename(photo_folder / "US$ <b> $x^$ [red]")
    page = go().report.read_text()
    assert page.count("data:image/png;base64,") == 3


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_trains_and_restores_the_policy(go, precision):
    run = go(mixed_precision=precision)
    assert keras.config.dtype_policy().name == "float32"
    assert run.load_model().layers[1].compute_dtype == precision


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed should be an integer of at least 0"),
        ({"mixed_precision": "int8"}, "'float16' or 'bfloat16'"),
        ({"checkpoint_every": 0}, "Steps between checkpoints should be an integer of at least 1"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(go, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        go(**options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("batch_size", "1000", "at most the number of training images, 22"),
        ("input_size", "4", "at least 32x32"),
        ("model", "Xcepton", "nearest names are Xception"),
        ("model_options", '{"depth": 3}', "no option 'depth'"),
        ("classes", "3", "has 3 classes, and the data"),
        ("dropout_rate", "0.5", "LeNet5 has no option 'dropout_rate'"),
        ("parallelism", "async", "is asynchronous"),
        ("model_options", '{"classifier_activation": "sigmoid"}', "one label an image"),
        ("model", "LeNet5:paper", "and its variant is 'modern'; set one of them"),
        ("aux_weight", "0.3", "no auxiliary head"),
    ],
)
def test_bad_recipes_are_refused_before_anything_is_written(
    go, tiny_recipe, tmp_path, field, value, message
):
    with pytest.raises(InputError, match=message):
        go(recipe=tiny_recipe.set(field, value))
    assert not (tmp_path / "run").exists()


def test_places_that_are_taken_or_closed_are_refused(go, tmp_path, tiny_recipe):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").touch()
    with pytest.raises(InputError, match="is a file"):
        go("file")
    with pytest.raises(InputError, match="is not empty; choose another, or go on with"):
        go("full")
    with pytest.raises(InputError, match="can't be written to"):
        train(tiny_recipe, out="/proc/run", quiet=True)


def test_a_full_disk_is_refused(go, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("keras_convnets.files.shutil.disk_usage", lambda folder: usage)
    with pytest.raises(InputError, match="MB free for checkpoints and the model. Received: 0.0 MB"):
        go()
    assert not (tmp_path / "run").exists()


def test_an_empty_folder_may_be_the_run(go, tmp_path):
    (tmp_path / "run").mkdir()
    assert go().is_finished


def test_changed_data_is_refused_on_resume(go, kill, photo_folder, tmp_path):
    kill(3, go)
    (photo_folder / "red" / "0.png").write_bytes((photo_folder / "blue" / "1.png").read_bytes())
    with pytest.raises(InputError, match="changed since the run began: it had 22 training images"):
        resume(tmp_path / "run", quiet=True)


def test_auxiliary_heads_train_and_stay_out_of_the_saved_model(
    go, tiny_googlenet, kill, assert_alike, tmp_path
):
    whole = go("whole", tiny_googlenet)
    assert isinstance(whole.load_model().output, keras.KerasTensor)
    assert not any(layer.name.startswith("aux") for layer in whole.load_model().layers)
    assert 0 <= whole.history[-1]["top1"] <= 1  # that of the main output
    kill(7, lambda: go("broken", tiny_googlenet, checkpoint_every=2))
    assert_alike(resume(tmp_path / "broken", quiet=True), whole)


def test_auxiliary_heads_are_turned_on_by_their_weight_only(tiny_googlenet):
    with pytest.raises(InputError, match="other than those that the package"):
        tiny_googlenet.set("model_options", '{"aux_logits": True}')


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("tfds:cifar10", "tfds:cifar10"),
        ("tfds:imagenet2012:5.1.0:validation", "tfds:imagenet2012:5.1.0:validation"),
        ("fashion_mnist_6k", "fashion_mnist_6k"),
        ("folder:photos", "folder:{here}/photos"),
        ("tfrecord:a/*.tfrecord", "tfrecord:{here}/a/*.tfrecord"),
    ],
)
def test_paths_in_data_become_absolute_and_names_do_not(spec, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_spec(spec) == expected.format(here=tmp_path)


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(InputError, match=r"is not a run: it has no recipe.json"):
        Run(tmp_path)


def test_a_run_shows_itself(go):
    page = go()._repr_html_()
    assert "validation top-1" in page
    assert "report.html" in page
