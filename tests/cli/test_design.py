"""`design`: the net, its stages, the line that builds it, and bad input."""

import pytest

import keras_convnets
from keras_convnets import count_complexity

TINY = ["--set", "small_input=True", "--set", "middle_repeats=0", "--input-size", "16"]


def test_the_net_is_shown_against_its_budget(run):
    code, out, _ = run("design", "--builder", "xception", "--params", "100k", *TINY)
    assert code == 0
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()}
    assert rows["net"] == ["Xception"]
    assert rows["small_input"] == ["True"]
    assert rows["input"] == ["16", "x", "16", "x", "3"]
    assert rows["parameters"][-2:] == ["from", "100,000)"]
    assert rows["multiply-adds"][0].replace(",", "").isdigit()
    assert "MiB" in rows["activations"]
    for stage in ("stride 1 16 x 16", "stride 8 2 x 2", "head"):
        assert stage in " ".join(out.split())


@pytest.mark.parametrize("amount", ["100k", "0.1M", "0.1m", "0.0001G", "100_000", "1e5"])
def test_amounts_have_suffixes(run, amount):
    _, out, _ = run("design", "--builder", "ResNetCIFAR", "--params", amount, "--free", "depth")
    assert "from 100,000)" in out
    assert '("ResNetCIFAR", depth=8, weights=None)' in out


def test_the_last_line_builds_the_net(run):
    _, out, _ = run(
        "design", "--builder", "xception", "--macs", "2M", "--set", "order=pointwise_first", *TINY
    )
    line = out.strip().splitlines()[-1]
    model = eval(line, {"keras_convnets": keras_convnets})  # noqa: S307 - our own output
    cost = count_complexity(model)
    assert f"{cost.trainable:,}" in out
    assert f"{cost.macs:,}" in out
    assert abs(cost.macs / 2e6 - 1) < 0.2


def test_the_last_line_has_what_the_name_stands_for(run):
    code, out, _ = run("design", "--builder", "VGG11:batch_norm", "--macs", "50M")
    assert code == 0
    assert 'get_model("VGG11", width_multiplier=' in out
    assert ", batch_norm=True, weights=None)" in out


def test_stages_without_cost_are_left_out(run):
    _, out, _ = run("design", "--builder", "VGG11:batch_norm", "--macs", "50M")
    assert "stride 16" in out
    assert "stride 32" not in out  # pools only


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("xeption --macs 1M", "nearest names are Xception"),
        ("xception", "One budget should be given, `params` or `macs`"),
        ("xception --macs 1M --params 1M", "One budget should be given, `params` or `macs`"),
        (
            "xception --macs 4Q",
            "--macs should be a number of at least 1 such as 70k",
        ),
        ("xception --params M", "--params should be a number of at least 1 such as 70k"),
        (
            "xception --params infG",
            "--params should be a number of at least 1 such as 70k",
        ),
        ("xception --params -3k", "--params should be a number of at least 1 such as 70k"),
        ("xception --macs 1M --set width", "--set wants option=value. Received: 'width'"),
        ("xception --macs 1M --set macs=3", "Xception has no option 'macs'"),
        ("xception --macs 1M --set order=up", "`order` should be one of"),
        ("xception --macs 1M --free order", "'order' of Xception can't be free"),
        ("xception --macs 1k", "the least is "),
        ("lenet5 --macs 1M", "LeNet5 has no option that a budget could determine"),
    ],
)
def test_bad_input_is_one_sentence(run, arguments, message):
    code, out, err = run("design", "--builder", *arguments.split())
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_nets_without_a_width_name_what_there_is(run, monkeypatch):
    monkeypatch.setattr("keras_convnets.analysis.budget._FIXED", ("width_multiplier", "classes"))
    code, _, err = run("design", "--builder", "xception", "--macs", "1M")
    assert code == 2
    assert "Xception has no width_multiplier; --free should be one of segments, middle" in err


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("name=3", "Xception can't be built with"),
        ("kernel_initializer=nope", "Could not interpret initializer"),
        ("input_shape=5", "use --input-size"),
        ("input_tensor=5", "--set can't give 'input_tensor'"),
        ("weights=imagenet", "--set can't give 'weights'"),
        (f"classes={'-' * 5000}1", "`classes` should be a positive integer"),
    ],
)
def test_settings_that_no_net_takes_are_told(run, setting, message):
    code, _, err = run("design", "--builder", "Xception", "--macs", "1G", "--set", setting)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
