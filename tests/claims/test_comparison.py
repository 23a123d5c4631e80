"""Runs side by side."""

import pytest

from keras_convnets.claims.comparison import Comparison
from keras_convnets.errors import InputError
from keras_convnets.training import Run, choice


@pytest.fixture
def folders(write_run, tiny_recipe, tmp_path):
    """Two seeds of one recipe, and one run of another with a stronger decay."""
    other = tiny_recipe.replace(l2=choice(0.01, "another"))
    return [
        write_run(tmp_path / "a0", tiny_recipe, 0, (0.5, 0.7, 0.8)),
        write_run(tmp_path / "a1", tiny_recipe, 1, (0.6, 0.75, 0.9)),
        write_run(tmp_path / "b0", other, 0, (0.4, 0.72), is_done=False),
    ]


def test_runs_that_differ_in_their_seed_alone_are_one_group(folders):
    groups = Comparison(folders).groups
    assert [[run.path.name for run in group.runs] for group in groups] == [["a0", "a1"], ["b0"]]
    assert groups[0].label == "xception_fashion_mnist, l2 1e-05"


def test_the_fields_that_differ_are_listed(folders):
    assert Comparison(folders).differences() == [["l2", "1e-05", "0.01"]]
    assert Comparison(folders[:2]).differences() == []


def test_the_time_to_an_accuracy_is_the_mean_of_the_runs_that_reach_it(folders):
    comparison = Comparison(folders)
    assert comparison.accuracy == 0.72  # the least of the groups' best
    rows = comparison.times()
    assert rows[0][1:] == ["2 of 2", "250", "1,000", "1.2"]  # steps 300 and 200
    assert rows[1][1:] == ["1 of 1", "200", "800", "1.0"]
    assert Comparison(folders, 0.85).times()[0][1:3] == ["1 of 2", "300"]
    assert Comparison(folders, 0.95).times()[1][1:3] == ["0 of 1", "not reached"]


def test_the_last_table_has_what_the_runs_ended_with(folders):
    first, second = Comparison(folders).finals()
    assert first[1:] == ["2", "300", "1.5", "85.00 (80.00 to 90.00)", "84.00 (79.00 to 89.00)"]
    assert second[1:] == ["1", "200", "1.0", "72.00", "not yet"]


def test_curves_are_over_steps_images_and_time(folders):
    axes = Comparison(folders).draw().axes
    lines = [panel.lines[0] for panel in axes]
    assert [list(line.get_xdata()) for line in lines] == [
        [100, 200, 300],
        [0.4, 0.8, 1.2],
        [0.5, 1.0, 1.5],
    ]
    assert list(lines[0].get_ydata()) == pytest.approx([55, 72.5, 85])
    assert len(axes[0].collections) == 1  # the band of the two seeds; one run has none


def test_the_page_has_everything(folders):
    page = Comparison(folders).page()
    for text in ("data:image/png;base64,", "Time to 72.0%", "<td>0.01</td>", "not yet"):
        assert text in page


def test_a_run_without_an_evaluation_can_not_be_compared(folders):
    (folders[2] / "history.csv").unlink()
    with pytest.raises(InputError, match="b0' has no evaluation yet"):
        Comparison(folders)


def test_bands_of_runs_with_other_places_end_where_the_first_run_does(
    write_run, tiny_recipe, tmp_path
):
    paths = [
        write_run(tmp_path / "short", tiny_recipe, 0, (0.5, 0.6)),
        write_run(tmp_path / "long", tiny_recipe, 1, (0.5, 0.6, 0.9)),
    ]
    [line] = Comparison(paths).draw().axes[0].get_lines()[:1]
    assert line.get_xdata()[-1] == 200


def test_runs_of_one_epoch_at_other_times_are_a_point(write_run, tiny_recipe, tmp_path):
    paths = [
        write_run(tmp_path / "first", tiny_recipe, 0, (0.5,)),
        write_run(tmp_path / "second", tiny_recipe, 1, (0.7,)),
    ]
    history = paths[1] / "history.csv"
    history.write_text(history.read_text().replace("30.0", "60.0"))
    line = Comparison(paths).draw().axes[2].lines[0]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([0.75], pytest.approx([60]))


def test_evaluations_within_epochs_are_read_where_they_are(folders):
    """At step 250 of the first run, between its epochs of 100 steps, is 0.85."""
    run = Run(folders[0])
    between = {**run.history[1], "step": 250, "samples": 1000, "val_top1": 0.85}
    run.write_curve([*run.history[:2], between, run.history[2]])
    comparison = Comparison(folders[:1], 0.82)
    assert comparison.times()[0][1:4] == ["1 of 1", "250", "1,000"]
    [panel, *_] = comparison.draw().axes
    assert list(panel.lines[0].get_xdata()) == [100, 200, 250, 300]
