"""docs/claims shows what was measured."""

import importlib.util
from pathlib import Path

import pytest

from keras_convnets import claims
from keras_convnets.claims.rules import Finding, decide

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("show", ROOT / "scripts" / "show_claims.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_the_results(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.rendered(script.tried()) == page  # python scripts/show_claims.py


def test_verdicts_follow_from_the_figures_of_the_runs(script):
    """What the rules of today say of the figures that were kept."""
    for results in script.tried():
        claim = claims.get(results["claim"])
        figures = {
            metric: {arm["name"]: arm["figures"][metric] for arm in results["arms"]}
            for metric in {rule.metric for rule in claim.rules}
        }
        found = [rule.find(figures[rule.metric]) for rule in claim.rules]
        assert decide(found) == results["verdict"], claim.name
        for finding, kept in zip(found, results["findings"], strict=True):
            assert finding.estimate == pytest.approx(kept["estimate"])
            assert finding.verdict == Finding(**kept).verdict
        assert (
            (script.FOLDER / f"{script.name_of(results)}.png").read_bytes().startswith(b"\x89PNG")
        )
