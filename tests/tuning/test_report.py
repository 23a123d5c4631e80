"""Reports of searches: what the figures are drawn from, what is left out, and the page."""

import html.parser
import json

import numpy as np
import PIL.Image
import pytest
import rich.console

from keras_convnets import tuning
from keras_convnets.cli.tuning import _tell
from keras_convnets.errors import InputError
from keras_convnets.tuning.report import figures
from keras_convnets.tuning.report.apart import write_apart
from keras_convnets.tuning.report.found import Found, front
from keras_convnets.tuning.report.importance import EPOCHS, importance
from keras_convnets.tuning.report.scales import Scale
from keras_convnets.tuning.report.sections import sections

from .searches import SPACE, results, row, search

VALUES = {"rate": 0.01, "dropout": 0.2, "depth": 4, "mixing": "none"}


def scales_of(found):
    return [
        Scale.of(name, domain, [trial["values"][name] for trial in found.trials])
        for name, domain in found.results["space"].items()
    ]


def left_out(trials, space=None):
    """The names of the figures that are left out, with the reason."""
    parts = sections(Found(results(trials, space)))
    return {part.name: part.about for part in parts if part.drawn is None}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder of a search with a report."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "trials.json").write_text(json.dumps(search()))
    assert tuning.write_report(folder) == folder / "report.html"
    return folder


@pytest.mark.parametrize("seed", range(20))
def test_the_front_has_what_no_other_trial_beats(seed):
    """Against the definition itself, with many equal costs and gains."""
    rng = np.random.default_rng(seed)
    costs, gains = rng.integers(1, 8, 30), rng.integers(1, 8, 30)

    def beats(i, j):
        no_worse = costs[i] <= costs[j] and gains[i] >= gains[j]
        return no_worse and (costs[i] < costs[j] or gains[i] > gains[j])

    best = [j for j in range(30) if not any(beats(i, j) for i in range(30))]
    found = front(costs.tolist(), gains.tolist())
    assert {(costs[i], gains[i]) for i in found} == {(costs[i], gains[i]) for i in best}
    assert len(found) == len({(costs[i], gains[i]) for i in best})
    assert [costs[i] for i in found] == sorted(costs[i] for i in found)


def test_the_front_of_the_figure_is_that_of_the_trials():
    found = Found(search())
    [line] = [
        line
        for line in figures.accuracy_and_cost(found).axes[0].lines
        if line.get_label() == "Pareto front"
    ]
    kept = front(
        [trial["macs"] for trial in found.completed],
        [trial["objective"] for trial in found.completed],
    )
    assert list(line.get_xdata()) == [found.completed[i]["macs"] for i in kept]
    np.testing.assert_allclose(
        line.get_ydata(), [100 * found.completed[i]["objective"] for i in kept]
    )


def test_costs_far_apart_are_on_a_log_scale():
    near = [row(0, VALUES, 0.5, macs=10**6), row(1, VALUES, 0.6, macs=2 * 10**6)]
    far = [near[0], row(1, VALUES, 0.6, macs=10**8)]
    scales = [
        figures.accuracy_and_cost(Found(results(trials))).axes[0].get_xscale()
        for trials in (near, far)
    ]
    assert scales == ["linear", "log"]


def test_failed_trials_with_a_known_cost_are_marked():
    [line] = [
        line
        for line in figures.accuracy_and_cost(Found(search())).axes[0].lines
        if line.get_label() == "failed"
    ]
    failed = [trial for trial in search()["trials"] if trial["status"] == "failed"]
    assert list(line.get_xdata()) == [trial["macs"] for trial in failed]


def test_importance_finds_what_the_results_follow_from():
    """The results follow from the rate, and from the depth a tenth as much."""
    found = Found(search(count=64))
    measured = importance(found, scales_of(found))
    assert measured.names[:2] == ("rate", "depth")
    assert measured.means[0] > 5 * measured.means[1]
    assert abs(measured.means[2]) < measured.means[0] / 20
    assert measured.explained > 0.8
    assert measured.trials == len(found.completed) == 48


def test_importance_of_chance_is_called_so():
    rng = np.random.default_rng(0)
    trials = [
        row(trial["id"], trial["values"], float(rng.uniform(0.4, 0.6)))
        for trial in search(count=16)["trials"]
        for trial in [{**trial, "id": int(trial["id"])}]
    ]
    found = Found(results(trials))
    assert importance(found, scales_of(found)).explained <= 0
    [about] = [part.about for part in sections(found) if part.name == "importance"]
    assert "From 16 completed trials" in about
    assert "these bars mean nothing" in about
    assert "So few trials say little" in about


def test_the_length_that_hyperband_chose_is_not_taken_for_a_hyper_parameter():
    """Here it alone decides."""
    trials = [
        {**trial, "status": "completed", "epochs": epochs, "objective": epochs / 20, "loss": 1.0}
        for epochs, trial in zip([1, 3, 9] * 8, search()["trials"], strict=True)
    ]
    found = Found(results(trials))
    measured = importance(found, scales_of(found))
    assert measured.names[0] == EPOCHS
    assert measured.means[0] > 20 * max(measured.means[1:])


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("rate", 1e-4, 0),
        ("rate", 1e-3, 1 / 3),
        ("rate", 1e-1, 1),
        ("dropout", 0.2, 0.25),
        ("depth", 9, 1),
        ("mixing", "mixup", 0.5),
    ],
)
def test_values_stand_on_the_scale_of_their_axis(name, value, place):
    assert Scale.of(name, SPACE[name], []).place(value) == pytest.approx(place)


def test_an_own_value_outside_the_limits_is_on_the_axis():
    scale = Scale.of("rate", SPACE["rate"], [1.0])
    assert [scale.place(value) for value in (1e-4, 1.0)] == [0, 1]


@pytest.mark.parametrize(
    "domain",
    [
        *SPACE.values(),
        {"low": 1e-9, "high": 1e3, "scale": "log"},
        {"low": 0.04, "high": 0.05, "scale": "log"},
        {"low": 8, "high": 56, "scale": "linear", "step": 6},
        {"low": 0.0, "high": 1e-3, "scale": "linear"},
    ],
    ids=str,
)
def test_labels_of_an_axis_are_apart_and_true(domain):
    scale = Scale.of("axis", domain, [])
    ticks = scale.ticks()
    assert [ticks[0][0], ticks[-1][0]] == [0, 1]
    assert min(np.diff([place for place, _ in ticks])) >= 0.05
    assert 3 <= len(ticks) <= 20
    for place, label in ticks:
        value = label if isinstance((scale.choices or [0])[0], str) else float(label)
        assert scale.place(value) == pytest.approx(place, abs=0.01)


def test_whole_numbers_have_their_labels():
    scale = Scale.of("depth", {"low": 8, "high": 32, "scale": "linear", "step": 6}, [])
    assert [label for _, label in scale.ticks()] == ["8", "14", "20", "26", "32"]


def test_lines_go_through_the_values_to_the_result():
    trials = [
        row(0, {**VALUES, "rate": 1e-4}, 0.5),
        row(1, {**VALUES, "rate": 1e-1}, 0.7),
        row(2, VALUES, 0.6),
        row(3, VALUES, status="failed"),
    ]
    found = Found(results(trials))
    lines = [line.get_ydata() for line in figures.parallel(found, scales_of(found)).axes[0].lines]
    through = [tuple(line[[0, 1, -1]]) for line in map(np.asarray, lines) if len(line) == 5]
    for expected in ((0, 0.25, 0), (1, 0.25, 1), (2 / 3, 0.25, 0.5)):
        assert any(np.allclose(line, expected) for line in through), expected
    [failed] = [line for line in lines if len(line) == 4]
    np.testing.assert_allclose(failed[:2], (2 / 3, 0.25))


def test_far_worse_results_do_not_hide_the_differences_of_the_others():
    trials = [row(i, VALUES, 0.9 + i / 1000) for i in range(8)] + [row(8, VALUES, 0.1)]
    found = Found(results(trials))
    assert 89 < found.floor < 90
    assert found.below == 1
    assert found.percent(trials[8]) == found.floor
    assert found.percent(trials[7]) == pytest.approx(90.7)
    labels = [text.get_text() for text in figures.parallel(found, scales_of(found)).axes[0].texts]
    assert f"{found.floor:.1f} or less" in labels


def test_curves_are_of_the_best_five():
    found = Found(search())
    lines = figures.learning_curves(found).axes[0].lines
    best = sorted(found.completed, key=lambda trial: -trial["objective"])[:5]
    assert [line.get_label().split(",")[0] for line in lines] == [
        f"trial {trial['id']}" for trial in best
    ]
    for line, trial in zip(lines, best, strict=True):
        np.testing.assert_allclose(
            line.get_ydata(), [100 * point["val_top1"] for point in trial["curve"]]
        )


def test_nothing_is_left_out_of_a_search_that_has_all():
    assert left_out(search()["trials"]) == {}


@pytest.mark.parametrize(
    ("trials", "missing"),
    [
        ([], {"parallel", "importance", "curves", "cost"}),
        ([row(0, VALUES, status="failed")] * 9, {"parallel", "importance", "curves", "cost"}),
        ([row(0, VALUES, 0.5)], {"parallel", "importance", "cost"}),
        ([row(i, VALUES, 0.5, macs=i + 9) for i in range(9)], {"importance"}),
        ([row(i, VALUES, i / 9) for i in range(9)], {"cost"}),
        ([row(i, VALUES, i / 9, curve=[], macs=i + 9) for i in range(9)], {"curves"}),
    ],
    ids=["none", "failed", "one", "equal", "same cost", "no curve"],
)
def test_what_trials_do_not_suffice_for_is_left_out_with_a_sentence(trials, missing, tmp_path):
    found = left_out(trials)
    assert set(found) == missing
    assert all(about.startswith("Left out. ") and about.endswith(".") for about in found.values())
    (tmp_path / "trials.json").write_text(json.dumps(results(trials)))
    page = tuning.write_report(tmp_path).read_text()
    assert page.count("Left out.") == len(missing)
    kept = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert kept == {"parallel", "importance", "curves", "cost"} - missing


def test_a_single_hyper_parameter_has_no_importance(tmp_path):
    trials = [row(i, {"rate": 10**-i}, 0.5 + i / 100, macs=i + 9) for i in range(1, 5)] * 3
    found = left_out(trials, {"rate": SPACE["rate"]})
    assert found == {"importance": "Left out. The search varies rate alone."}


def test_a_figure_that_is_left_out_leaves_no_old_file(written, tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "cost.png").touch()
    (tmp_path / "trials.json").write_text(json.dumps(results([row(0, VALUES, 0.5)])))
    tuning.write_report(tmp_path)
    assert not (tmp_path / "figures" / "cost.png").exists()


class Page(html.parser.HTMLParser):
    """What a page holds."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in ("td", "th"):
            self.cells[-1][-1] += data.rstrip("\n")


def test_the_page_needs_nothing_else(written):
    text = (written / "report.html").read_text()
    page = Page(text)
    sources = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(sources) == 4
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert {tag for tag, _ in page.tags}.isdisjoint({"link", "script", "iframe", "a"})
    assert "http" not in text
    assert "url(" not in text


def test_figures_are_png_files_too(written):
    names = sorted(path.name for path in (written / "figures").iterdir())
    assert names == ["cost.png", "curves.png", "importance.png", "parallel.png"]
    for name in names:
        image = PIL.Image.open(written / "figures" / name)
        assert image.format == "PNG"
        assert min(image.size) > 200


def test_the_table_has_every_trial_the_best_first(written):
    page = Page((written / "report.html").read_text())
    [start] = [i for i, cells in enumerate(page.cells) if cells[:1] == ["trial"]]
    rows = page.cells[start + 1 : start + 25]
    found = Found(search())
    assert [cells[0] for cells in rows[:18]] == [trial["id"] for trial in found.completed]
    assert sorted(cells[0] for cells in rows) == [f"{i:02d}" for i in range(24)]
    best = found.completed[0]
    assert rows[0][1] == f"{100 * best['objective']:.2f}"
    assert rows[0][5] == best["values"]["mixing"]
    assert rows[0][-1] == "the best"
    assert {cells[-1] for cells in rows[18:]} == {"failed: diverged", "infeasible"}
    [own] = [cells for cells in rows if cells[0] == "00"]
    assert own[-1] == "the recipe's own"


def test_reasons_of_failures_are_in_the_page_as_text(written):
    text = (written / "report.html").read_text()
    assert text.count("It is &lt;too&gt; large.") == 6
    assert "<too>" not in text


@pytest.mark.parametrize("content", ["{}", "[]", '{"trials": [{}]}', None])
def test_a_damaged_file_is_refused_in_a_sentence(content, tmp_path):
    if content is not None:
        (tmp_path / "trials.json").write_text(content)
    with pytest.raises(InputError, match="is damaged|There is no file"):
        tuning.write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_a_process_of_its_own_says_why_it_wrote_no_report(tmp_path):
    assert "There is no file" in write_apart(tmp_path)


def test_the_command_line_says_where_the_report_is(written, tmp_path, capsys):
    for folder in (written, tmp_path):
        _tell(rich.console.Console(width=200), search(), folder)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("report:")] == [
        f"report:  {written}/report.html"
    ]
