"""`reproduce` and `compare` as a user types them."""

import pytest

from keras_convnets import claims
from keras_convnets.training import Run


def test_reproduce_alone_lists_all_claims_with_paper_and_cost(run):
    code, out, _ = run("reproduce")
    assert code == 0
    for name in claims.names():
        claim = claims.get(name)
        assert name in out
        assert f"{len(claim.arms)} x {claim.seeds}" in out
    assert "Chollet 2017, arXiv 1610.02357" in out
    assert run("reproduce", "list")[1] == out


def test_an_unknown_claim_is_bad_input(run):
    code, _, err = run("reproduce", "xception_residul")
    assert code == 2
    assert "There is no claim named 'xception_residul'; the nearest names are" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "'nowhere' is not a run: it has no recipe.json."),
        (["nowhere", "--out", "a.pdf"], "--out should end in .html or .png. Received: 'a.pdf'"),
    ],
)
def test_compare_refuses_what_it_can_not_draw(run, arguments, sentence):
    code, _, err = run("compare", *arguments)
    assert code == 2
    assert sentence in err


def test_a_run_is_evaluated_between_epochs_and_compared(run, tmp_path):
    out = tmp_path / "run"
    code, _, err = run("train", "lenet5_mnist", "--smoke", "--evaluate-every", 3, "--out", out)
    assert code == 0, err
    steps = [row["step"] for row in Run(out).curve]
    assert 3 in steps
    assert len(steps) > len(Run(out).history)
    code, _, err = run("compare", out, "--out", tmp_path / "page.html")
    assert code == 0, err
    assert "validation accuracy over steps" in (tmp_path / "page.html").read_text()
