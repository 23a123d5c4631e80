"""What is installed is what is in the tree."""

import configparser
import email.parser
import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that the tree makes, built from a copy: builds of one tree disturb each other."""
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    unneeded = shutil.ignore_patterns(".*", "venv", "build", "dist", "runs", "*.egg-info")
    shutil.copytree(ROOT, source, ignore=unneeded)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    [path] = out.glob("*.whl")
    return zipfile.ZipFile(path)


def tree(folder):
    return {
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_has_every_module_and_data_file_of_the_tree(wheel):
    expected = {str(path.relative_to(ROOT)) for path in tree(ROOT / "keras_convnets")}
    expected |= {
        f"keras_convnets/recipes/{path.relative_to(ROOT / 'recipes')}"
        for path in tree(ROOT / "recipes")
    }
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == expected


def test_wheel_carries_the_licences(wheel):
    names = {name.rpartition("/")[2] for name in wheel.namelist() if ".dist-info/" in name}
    assert {"LICENSE", "fashion_mnist_6k.LICENSE"} <= names
    [metadata] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    fields = email.parser.Parser().parsestr(wheel.read(metadata).decode())
    assert fields["License-Expression"] == "Apache-2.0"
    assert fields["Requires-Python"] == ">=3.11"


def test_every_package_of_the_tree_is_listed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in tree(ROOT / "keras_convnets")
        if path.name == "__init__.py"
    }
    assert listed == found | {"keras_convnets.recipes"}


def test_command_is_installed():
    [command] = importlib.metadata.entry_points(group="console_scripts", name="keras-convnets")
    assert command.value == "keras_convnets.cli:main"


def test_rooms_import_downwards_only(wheel, tmp_path):
    """The floors of the design; seen from the wheel, where recipes/ is at its place."""
    wheel.extractall(tmp_path)
    command = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run(
        [command, "--no-cache", "--config", ROOT / ".importlinter"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_architecture_files_import_no_tensorflow():
    from keras_convnets._registry import FAMILIES

    for family in FAMILIES:
        code = (ROOT / "keras_convnets" / f"{family}.py").read_text()
        assert not re.search(r"^\s*(import|from) tensorflow", code, re.MULTILINE)
