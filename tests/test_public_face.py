"""What `import keras_convnets` brings and costs."""

import importlib
import subprocess
import sys

import pytest

import keras_convnets


def modules_after(statement):
    """The modules that are loaded after a statement in a new interpreter."""
    code = f"{statement}\nimport sys; print(*sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    return set(result.stdout.split())


def test_import_brings_nothing_heavier_than_keras():
    keras = modules_after("import keras")
    loaded = modules_after("import keras_convnets; keras_convnets.Xception") - keras
    heavy = {"matplotlib", "PIL", "rich", "typer", "tensorflow_datasets", "keras_tuner"}
    assert "keras_convnets.xception" in loaded
    assert not heavy & loaded
    rooms = {"training", "data", "recipes", "analysis", "deployment", "evaluation", "cli"}
    assert not {f"keras_convnets.{room}" for room in rooms} & loaded


@pytest.mark.parametrize(
    "name",
    ["imagenet_utils", "preprocessing", "layers.image_scaling", "weights.download", "_registry"],
)
def test_any_module_may_be_imported_first(name):
    """Keras brings our layers, and they what they need, in whatever it was imported from."""
    assert f"keras_convnets.{name}" in modules_after(f"import keras_convnets.{name}")


def test_analysis_draws_only_when_asked():
    drawing = {f"keras_convnets.analysis.{room}" for room in ("comparison", "plots", "diagram")}
    assert not drawing & modules_after("import keras_convnets.analysis")
    assert "keras_convnets.analysis.plots" in modules_after(
        "from keras_convnets.analysis import compare"
    )
    assert "compare" in dir(keras_convnets.analysis)


@pytest.mark.parametrize("order", [("keras", "keras_convnets"), ("keras_convnets", "keras")])
def test_saved_nets_load_once_both_are_imported(order, tmp_path):
    """Our layers are known to Keras, whichever was imported first."""
    options = {"input_shape": (71, 71, 3), "width_multiplier": 0.1, "middle_repeats": 0}
    keras_convnets.Xception(weights=None, **options).save(tmp_path / "net.keras")
    path = str(tmp_path / "net.keras")
    modules_after(f"import {order[0]}, {order[1]}; keras.saving.load_model({path!r})")


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_help_needs_no_keras(arguments):
    code = (
        "import sys, keras_convnets.cli\n"
        f"try: keras_convnets.cli.main({arguments})\n"
        "except SystemExit: assert 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("name", keras_convnets.__all__)
def test_every_public_name_is_there(name):
    assert getattr(keras_convnets, name) is not None
    assert name in dir(keras_convnets)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'VGG99'"):
        keras_convnets.VGG99  # noqa: B018


@pytest.mark.parametrize(
    "module",
    [
        "imagenet_utils",
        "inception_resnet_v2",
        "inception_v3",
        "resnet",
        "resnet50",
        "resnet_v2",
        "vgg16",
        "vgg19",
        "xception",
    ],
)
def test_import_paths_are_those_of_keras_applications(module):
    theirs = importlib.import_module(f"keras.applications.{module}")
    ours = importlib.import_module(f"keras_convnets.{module}")
    for name in dir(theirs):
        if not name.startswith("_"):
            assert hasattr(ours, name)
