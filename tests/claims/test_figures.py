"""Figures from results alone."""

import pytest

from keras_convnets.claims.figures import draw


def texts(figure):
    """All that is written in a figure, with its panels."""
    figure.draw_without_rendering()
    return " | ".join(
        text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))
    )


def test_a_figure_says_claim_verdict_cost_and_scale(results):
    written = texts(draw(results))
    for text in (
        "One net is better than another",
        "holds at this scale",
        "+2.00 (+1.00 to +3.00)",
        "51.5 k parameters, 2.24 M MAC",
        "test 71.0 (70.0 to 72.0) %",
        "validation accuracy, %",
        "10,800 images to train on, 10,000 to test; 300 steps of 32, 2 seeds",
    ):
        assert text in written


def test_curves_have_a_band_over_the_seeds(results):
    [axes] = [axes for axes in draw(results).axes if axes.get_xlabel() == "training steps"]
    first = axes.lines[0]
    assert list(first.get_xdata()) == [100, 200, 300]
    assert list(first.get_ydata()) == pytest.approx([45, 57.5, 67.5])
    bands = [path.vertices[:, 1] for path in axes.collections[0].get_paths()]
    assert (min(bands[0]), max(bands[0])) == pytest.approx((40, 70))


def test_points_are_the_figures_of_the_seeds(results):
    results |= {"figure": "points", "axis": "cardinality"}
    picture = draw(results)
    assert "cardinality rises to the right" in texts(picture)
    assert list(picture.axes[0].lines[0].get_ydata()) == [70, 72]


def test_points_of_logarithms_are_drawn_as_what_they_are_of(results):
    results["figure"] = "points"
    results["findings"][0]["metric"] = "log_score"
    for arm in results["arms"]:
        arm["figures"]["score"] = arm["figures"].pop("test_top1")
    axes = draw(results).axes[0]
    assert axes.get_ylabel() == "test MAP@100, or accuracy with one label, %"
    assert list(axes.lines[0].get_ydata()) == [70, 72]


def test_what_was_found_is_cut_into_lines_that_fit_beside_the_interval(results):
    statement = "a statement of many words that are needed to tell what it is all about"
    results["findings"][0] |= {"statement": statement, "metric": "minus_steps_to_75"}
    results["findings"][0] |= {"low": -1e20, "high": 1e20}
    written = [part for part in texts(draw(results)).split(" | ") if statement[:20] in part]
    assert max(map(len, written[0].split("\n"))) <= 62


def test_a_heat_map_has_the_difference_of_its_rows_below(results):
    results["figure"] = {
        "rows": ["none", "ReLU"],
        "columns": ["1"],
        "arms": [["first"], ["second"]],
        "across": "segments",
        "down": "between",
    }
    picture = draw(results)
    [below] = [axes for axes in picture.axes if axes.get_xlabel() == "segments"]
    assert below.patches[0].get_height() == pytest.approx(-2)
    assert below.get_ylabel() == "ReLU less none, points"
    written = texts(picture)
    assert "71.0" in written
    assert "69.0" in written


def test_what_has_no_interval_says_so(results):
    results["findings"][0] |= {"low": None, "high": None, "verdict": "undecided"}
    results["verdict"] = "undecided"
    written = texts(draw(results))
    assert "+2.00, too few runs for an interval" in written
    assert "undecided at this scale" in written
