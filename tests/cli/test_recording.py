"""`keras-convnets make-records`."""

import re

import PIL.Image

from keras_convnets.data import records


def test_a_folder_becomes_records(run, photo_folder, tmp_path):
    out = tmp_path / "out"
    code, output, errors = run("make-records", f"folder:{photo_folder}", out, "--shards", 3)
    assert (code, errors) == (0, "")
    size = sum(path.stat().st_size for path in out.glob("*.tfrecord"))
    assert output == f"train: 24 images in 3 shards, {size / 1e6:,.1f} MB\n"
    assert records.open_records(out).classes == ("blue", "red")


def test_files_that_are_no_images_are_named_and_left_out(run, photo_folder, tmp_path):
    bad = photo_folder / "red" / "3.png"
    bad.write_bytes(b"text")
    out = tmp_path / "out"
    code, output, errors = run("make-records", f"folder:{photo_folder}", out)
    assert code == 3
    assert "train: 23 images in 16 shards" in output
    assert errors == f"The file '{bad}' is not an image of a known format.\n"
    assert len(records.open_records(out).splits["train"]) == 23


def test_other_records_in_the_folder_are_kept(run, photo_folder, tmp_path):
    out = tmp_path / "out"
    assert run("make-records", f"folder:{photo_folder}", out, "--shards", 3)[0] == 0
    PIL.Image.new("RGB", (9, 9)).save(photo_folder / "red" / "new.png")
    code, _, errors = run("make-records", f"folder:{photo_folder}", out, "--shards", 3)
    assert code == 2
    assert re.search("has records of another source, number of shards or seed", errors)
    assert len(records.open_records(out).splits["train"]) == 24
