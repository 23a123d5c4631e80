"""`draw`."""

import pytest


def test_draw_writes_an_svg_into_the_folder_one_is_in(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("draw", "googlenet:SLIM")
    assert code == 0
    assert out.splitlines() == [
        "wrote GoogLeNet_slim.svg",
        "next: keras-convnets info GoogLeNet:slim --layers",
    ]
    [file] = tmp_path.iterdir()
    assert file.name == "GoogLeNet_slim.svg"
    assert "<!-- inception_4e -->" in file.read_text()


def test_draw_takes_a_file_and_a_size(run, tmp_path):
    small, default = tmp_path / "new" / "small.svg", tmp_path / "default.svg"
    assert run("draw", "vgg11", "--out", small, "--input-size", 64)[0] == 0
    assert run("draw", "vgg11", "--out", default)[0] == 0
    sign = "\N{MULTIPLICATION SIGN}"
    assert f"<!-- input, 64 {sign} 64 {sign} 3 -->" in small.read_text()
    assert f"<!-- input, 224 {sign} 224 {sign} 3 -->" in default.read_text()


def test_draw_writes_png(run, tmp_path):
    path = tmp_path / "net.PNG"
    assert run("draw", "lenet5", "--out", path)[0] == 0
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("out", ["net.pdf", "net"])
def test_draw_refuses_other_files_before_it_builds_a_net(run, tmp_path, out):
    code, _, err = run("draw", "no such net", "--out", tmp_path / out)
    assert code == 2
    assert "--out should end in .svg or .png. Received:" in err
    assert not list(tmp_path.iterdir())


def test_draw_leaves_nothing_behind_when_it_fails(run, tmp_path):
    code, _, err = run("draw", "lenet5", "--out", tmp_path / "net.svg", "--input-size", 8)
    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert "Input size must be at least 32x32" in err


def test_draw_does_not_write_into_a_folder(run, tmp_path):
    (tmp_path / "net.svg").mkdir()
    code, _, err = run("draw", "lenet5", "--out", tmp_path / "net.svg")
    assert code == 2
    assert "should be a file, not a folder" in err
