"""`list` and `info`."""


def test_list_shows_nets_and_recipes(run):
    code, out, _ = run("list")
    assert code == 0
    for word in ("LeNet5:modern", "Xception", "22,910,480", "lenet5_mnist", "keras-convnets info"):
        assert word in out


def test_list_fits_a_terminal_of_80_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("list")
    nets = out[: out.index("Recipes")]
    assert "InceptionResNetV2:paper 32,450,360  9,258.0 M 299x299x3 Szegedy et al. 2016" in nets
    assert "…" not in nets


def test_list_takes_a_pattern(run):
    _, out, _ = run("list", "lenet*")
    assert "LeNet5" in out
    assert "22,910,480" not in out


def test_info_shows_the_facts(run):
    code, out, _ = run("info", "xception", "--layers")
    assert code == 0
    for fact in (
        "22,910,480 (22,855,952 trainable)",
        "8,357,403,496",
        "299 x 299 x 3",
        "block14_sepconv2_act",
        "79.0 %",
        "1610.02357",
        "SeparableConv2D",
    ):
        assert fact in out


def test_info_names_the_nearest(run):
    code, out, err = run("info", "xeption")
    assert (code, out) == (2, "")
    assert "nearest names are Xception" in err
