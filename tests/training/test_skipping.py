"""Images that only a run's work finds to be bad, as in sets too large to be checked before."""

import json
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from keras_convnets import data
from keras_convnets.data import records
from keras_convnets.data.order import shuffled
from keras_convnets.errors import InputError, UnreadableError
from keras_convnets.training import Steps, choice, fit, resume, train
from keras_convnets.training.preparation import VALIDATION_SHARE

BATCH = 4  # of the tiny recipes


@pytest.fixture(autouse=True)
def large_sets(monkeypatch):
    """What stays encoded and unchecked before work."""
    monkeypatch.setattr("keras_convnets.data.decoding.CHECK_LIMIT", 0)
    monkeypatch.setattr("keras_convnets.data.decoding.MEMORY_LIMIT", 0)


@pytest.fixture(params=["folder", "tfrecord"])
def spec(request, photo_folder, tmp_path):
    """The red and blue images, in files or in shards."""
    return of_kind(request.param, photo_folder, tmp_path / "shards")


@pytest.fixture
def files(photo_folder, tmp_path):
    return of_kind("folder", photo_folder, tmp_path)


def of_kind(kind, folder, shards):
    if kind == "folder":
        return f"folder:{folder}"
    records.write(data.load(f"folder:{folder}"), shards, 2, quiet=True)
    return f"tfrecord:{shards}"


@pytest.fixture
def go(tiny_recipe, tmp_path):
    """A function that trains on some data."""

    def apply(spec, name="run", recipe=None, max_skipped=0.2, **options):
        options = {"quiet": True, "checkpoint_every": 2, **options}
        return train(
            recipe or tiny_recipe,
            data=spec,
            out=tmp_path / name,
            max_skipped=max_skipped,
            **options,
        )

    return apply


def spoil(split, row):
    """Cuts a file in half, or changes a byte in the midst of a record; returns its name."""
    encoded = split.encoded
    if isinstance(encoded, records.RecordSplit):
        path = encoded.files[encoded.file_ids[row]]
        content = bytearray(path.read_bytes())
        content[encoded.offsets[row] + 12 + encoded.lengths[row] // 2] ^= 0x10
    else:
        path = encoded.paths[row]
        content = path.read_bytes()
        content = content[: len(content) // 2]
    path.write_bytes(content)
    return encoded.name(row)


def held_out(spec):
    return data.load(spec).hold_out(VALIDATION_SHARE, 0)


def spoil_steps(spec, *places):
    """Spoils the training images at places of the first epoch; returns their names."""
    split = held_out(spec).train
    order = next(shuffled(len(split), 0, 0))
    return [spoil(split, order[place]) for place in places]


def test_a_bad_training_image_is_left_out_and_recorded(spec, go, capsys):
    [bad] = spoil_steps(spec, 9)
    run = go(spec, quiet=False)
    assert [(row["file"], row["found"]) for row in run.skipped] == [(bad, "while training")]
    reason = run.skipped[0]["reason"]
    assert bad.partition(", byte ")[0] in reason
    if spec.startswith("tfrecord"):
        assert "at byte " in reason
    assert [row["samples"] for row in run.history] == [20, 40]  # no step was lost
    assert run.settings.training_images == 22
    page = run.report.read_text()
    assert "Images that were left out (1)" in page
    assert "Found while training." in page
    lines = [line for line in capsys.readouterr().out.splitlines() if reason in line]
    assert len(lines) == 1
    assert lines[0].endswith("skipped.json")


@pytest.mark.parametrize("step", [2, 3, 8])
def test_a_kill_around_a_fault_changes_no_bit(files, go, kill, assert_alike, tmp_path, step):
    """The fault is in the third step; before, at and behind it, and in the next epoch."""
    spoil_steps(files, 9)
    unbroken = go(files, "unbroken")
    kill(step, lambda: go(files, "broken"))
    assert_alike(resume(tmp_path / "broken", quiet=True), unbroken)


def test_what_is_found_late_and_what_was_known_lead_to_the_same_bits(
    files, go, kill, assert_alike, tmp_path, tiny_xception
):
    """With dropout and averages; a step that got no batch must not have drawn a number."""
    spoil_steps(files, 5, 6, 14)
    found = go(files, "found", tiny_xception)
    kill(1, lambda: go(files, "knowing", tiny_xception))
    shutil.copy(found.path / "skipped.json", tmp_path / "knowing" / "skipped.json")
    assert_alike(resume(tmp_path / "knowing", quiet=True), found)


def test_faults_of_one_batch_are_found_together_and_a_bad_substitute_after_them(
    files, go, monkeypatch
):
    split = held_out(files).train
    order = next(shuffled(len(split), 0, 0)).tolist()
    rows = [order[0], order[1], (order[0] + 1) % len(split)]
    bad = {spoil(split, row) for row in rows}
    searches = []
    original = fit.Job.skip_in_batch
    monkeypatch.setattr(
        fit.Job, "skip_in_batch", lambda self, error: (searches.append(1), original(self, error))
    )
    run = go(files)
    assert {row["file"] for row in run.skipped} == bad
    assert len(searches) <= len(bad)


def test_a_bad_validation_image_is_left_out_of_all_evaluations(
    files, go, kill, assert_alike, tmp_path
):
    bad = spoil(held_out(files).validation, 1)
    unbroken = go(files, "unbroken")
    assert [(row["file"], row["found"]) for row in unbroken.skipped] == [(bad, "while evaluating")]
    assert unbroken.evaluation["n"] == 1
    kill(7, lambda: go(files, "broken"))
    assert_alike(resume(tmp_path / "broken", quiet=True), unbroken)


def test_bad_test_images_stop_no_run_that_is_trained(go, photo_folder, tmp_path, tiny_recipe):
    for name in ("train", "test"):
        shutil.copytree(photo_folder, tmp_path / "split" / name)
    split = f"folder:{tmp_path / 'split'}"
    bad = {spoil(data.load(split).test, row) for row in (3, 20)}
    recipe = tiny_recipe.replace(length=choice(Steps(1), "short"))
    run = go(split, recipe=recipe, max_skipped=0)
    assert run.evaluation["n"] == 22
    assert {row["file"] for row in run.skipped} == bad
    (run.path / "report.html").unlink()
    assert resume(run.path, quiet=True).evaluation == run.evaluation
    assert {row["file"] for row in run.skipped} == bad


def test_no_limit_left_stops_with_file_and_byte(spec, go, tmp_path):
    [bad] = spoil_steps(spec, 9)
    with pytest.raises(UnreadableError, match=r"1 of the 24 images .* 4.2%; at most 0.0%") as error:
        go(spec, max_skipped=0)
    assert bad.partition(", byte ")[0] in str(error.value)
    if spec.startswith("tfrecord"):
        assert "at byte " in str(error.value)
    assert not (tmp_path / "run" / "skipped.json").exists()
    assert tf.train.latest_checkpoint(tmp_path / "run" / "checkpoints").endswith("ckpt-2")


def test_the_limit_counts_what_is_found_late(files, go, kill, tmp_path):
    """Of 24 images two are 8.3 %; a resumed run keeps the limit that it began with."""
    bad = spoil_steps(files, 9, 13)
    kill(3, lambda: go(files, max_skipped=0.08))
    assert [row["file"] for row in json.loads((tmp_path / "run/skipped.json").read_text())] == [
        bad[0]
    ]
    with pytest.raises(UnreadableError, match="2 of the 24 images .* 8.3%; at most 8.0%"):
        resume(tmp_path / "run", quiet=True)


def test_settings_of_older_runs_have_the_default_limit(files, go):
    run = go(files)
    path = run.path / "settings.json"
    fields = json.loads(path.read_text())
    assert fields.pop("max_skipped") == 0.2
    path.write_text(json.dumps(fields))
    assert type(run)(run.path).settings.max_skipped == 0.05


def test_data_that_changed_is_refused_also_where_something_was_skipped(files, go, kill, tmp_path):
    [bad] = spoil_steps(files, 9)
    kill(5, lambda: go(files))
    Path(bad).write_bytes(Path(bad).read_bytes() + b"more")
    with pytest.raises(InputError, match="changed since the run began"):
        resume(tmp_path / "run", quiet=True)


def test_a_file_that_is_gone_is_no_bad_image(files, go, dying, tmp_path):
    """A disk that fails would otherwise make all images bad."""
    split = held_out(files).train
    path = Path(split.encoded.name(next(shuffled(len(split), 0, 1))[19]))  # of the second epoch
    dying(3, path.unlink)
    with pytest.raises(UnreadableError, match="There is no image file at"):
        go(files)
    assert not (tmp_path / "run" / "skipped.json").exists()


def test_an_error_of_no_image_is_raised_as_it_is(files, go, monkeypatch):
    def fail(*args):
        raise tf.errors.ResourceExhaustedError(None, None, "no memory")

    monkeypatch.setattr(fit, "_fit_steps", fail)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="no memory"):
        go(files)


def test_a_damaged_list_of_skipped_images_is_named(files, go, kill, tmp_path):
    kill(3, lambda: go(files))
    (tmp_path / "run" / "skipped.json").write_text('[{"name": 1}]')
    with pytest.raises(InputError, match=r"skipped.json' is damaged"):
        resume(tmp_path / "run", quiet=True)
