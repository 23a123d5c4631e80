"""What a run says before it begins."""

import pytest

from keras_convnets.training import MovingAverage, choice, train
from keras_convnets.training.model import build_model
from keras_convnets.training.notes import notes_on_length


def note(recipe, steps, **values):
    recipe = recipe.replace(**{field: choice(value, "test") for field, value in values.items()})
    return notes_on_length(recipe, build_model(recipe, channels=3), steps)


@pytest.mark.parametrize(
    ("momentum", "steps", "is_short"),
    [
        (0.9997, 9_999, True),  # slim's Inception nets, papers.md 14
        (0.9997, 10_000, False),
        (0.99, 299, True),
        (0.99, 300, False),
    ],
)
def test_a_run_too_short_for_its_moving_statistics_is_told(
    tiny_xception, momentum, steps, is_short
):
    values = {"batch_norm": {"momentum": momentum}, "ema": None}
    notes = note(tiny_xception, steps, **values)
    assert len(notes) == is_short
    if is_short:
        assert f"a run of {steps:,} steps is short for the momentum {momentum}" in notes[0]


def test_the_momentum_of_the_note_fits(tiny_xception):
    [text] = note(tiny_xception, 300, batch_norm={"momentum": 0.999}, ema=None)
    assert "{'momentum': 0.99}" in text


@pytest.mark.parametrize(
    "values", [{"batch_norm_mode": "inference"}, {"weights": "some.h5"}], ids=str
)
def test_statistics_that_are_there_already_need_no_note(tiny_xception, values):
    assert not note(tiny_xception, 10, batch_norm={"momentum": 0.99}, ema=None, **values)


@pytest.mark.parametrize(
    ("ema", "count"), [(0.999, 1), (MovingAverage(0.999), 0), (0.99, 0), (None, 0)]
)
def test_an_average_without_a_ramp_wants_a_long_run(tiny_recipe, ema, count):
    notes = note(tiny_recipe, 1000, ema=ema)
    assert len(notes) == count
    assert all("the decay 0.999 of `ema`" in text for text in notes)


def test_the_note_is_on_the_console_and_in_the_report(tiny_recipe, photo_folder, tmp_path, capsys):
    recipe = tiny_recipe.replace(ema=choice(0.999, "test"))
    run = train(recipe, data=f"folder:{photo_folder}", out=tmp_path / "run")
    out = capsys.readouterr().out
    text = "Warning: a run of 10 steps is short for the decay 0.999"
    assert text in out[: out.index("epoch   1/2")]
    assert text in run.report.read_text()
