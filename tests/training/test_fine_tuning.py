"""Runs that start from trained weights: two phases, early stop, images that can't be read."""

import json
import shutil

import numpy as np
import pytest

from keras_convnets import data, recipes
from keras_convnets.data import CutMix, FlipLeftRight, MixUp
from keras_convnets.deployment import ModelCard, save_model
from keras_convnets.errors import InputError
from keras_convnets.layers import BatchNormalization
from keras_convnets.training import (
    Constant,
    Cosine,
    EarlyStop,
    Epochs,
    HeadPhase,
    Steps,
    choice,
    resume,
    settle,
    train,
)
from keras_convnets.training.fine_tuning import best_epoch
from keras_convnets.training.model import build_model, model_card, preprocessing_of
from keras_convnets.training.start import load_start, notes_on_start

CLASSES = ("green", "yellow", "violet")


@pytest.fixture
def tiny_resnet(tiny_xception):
    """The smallest net with shortcuts, normalization and dropout."""
    values = {"model": "ResNetCIFAR", "model_options": {"depth": 8, "width_multiplier": 0.5}}
    return tiny_xception.replace(**{key: choice(value, "fast") for key, value in values.items()})


@pytest.fixture
def trunk(tiny_resnet, tmp_path, randomize):
    """A saved net of three other classes; its path."""
    recipe = tiny_resnet.replace(classes=choice(3, "test"))
    model = randomize(build_model(recipe, 3))
    save_model(
        model, tmp_path / "trunk.keras", model_card(recipe, CLASSES, preprocessing_of(recipe, 3))
    )
    return tmp_path / "trunk.keras"


@pytest.fixture
def fine_tune(tiny_resnet, trunk):
    """Two phases that meet within the second epoch of five steps."""
    values = {
        "weights": str(trunk),
        "length": Epochs(3),
        "head_phase": HeadPhase(Steps(7), Constant(0.01)),
        "schedule": Cosine(0.01, warmup=Steps(2)),
        "batch_norm_mode": "inference",
        "ema": None,
        "label_smoothing": 0.0,
        "dropout_rate": 0.0,
    }
    return tiny_resnet.replace(**{field: choice(value, "t") for field, value in values.items()})


@pytest.fixture
def go(photo_folder, tmp_path):
    """A function that trains on the red and blue images."""

    def apply(recipe, name="run", **options):
        return train(
            recipe, data=f"folder:{photo_folder}", out=tmp_path / name, quiet=True, **options
        )

    return apply


def weights_of(model):
    return {(layer.name, v.name): v.numpy() for layer in model.layers for v in layer.weights}


def changed(model, other):
    """The layers of which some weight differs."""
    pairs = weights_of(model), weights_of(other)
    return {pair[0] for pair in pairs[0] if not np.array_equal(pairs[0][pair], pairs[1][pair])}


def source_model(trunk):
    from keras_convnets.deployment import find_model

    return find_model(trunk)[0]


def of_kind(model, kind):
    return {layer.name for layer in model.layers if isinstance(layer, kind)}


def test_in_the_head_phase_the_head_alone_learns(go, fine_tune, trunk):
    run = go(fine_tune.replace(length=choice(Steps(7), "the head phase")))
    assert changed(run.load_model(), source_model(trunk)) == {"predictions"}


def test_behind_the_head_phase_all_layers_learn_but_normalization(go, fine_tune, trunk):
    run = go(fine_tune)
    model = run.load_model()
    weighted = {layer.name for layer in model.layers if layer.weights}
    learnt = changed(model, source_model(trunk))
    assert learnt == weighted - of_kind(model, BatchNormalization)


def test_normalization_learns_in_train_mode(go, fine_tune, trunk):
    run = go(fine_tune.replace(batch_norm_mode=choice("train", "test")))
    model = run.load_model()
    assert of_kind(model, BatchNormalization) < changed(model, source_model(trunk))


def test_layers_up_to_a_tap_stay_as_they_were(go, fine_tune, trunk):
    recipe = fine_tune.replace(
        freeze_until=choice("conv3_block1_out", "test"), head_phase=choice(None, "test")
    )
    model = go(recipe).load_model()
    learnt = changed(model, source_model(trunk))
    assert learnt == {"conv4_block1_1_conv", "conv4_block1_2_conv", "predictions"}


def test_the_second_phase_has_a_fresh_optimizer_and_its_own_schedule(go, fine_tune):
    """Cosine with two steps of warm-up over the eight steps that the head phase leaves."""
    schedule = HeadPhase(Steps(5), Constant(0.5))
    run = go(fine_tune.replace(head_phase=choice(schedule, "an epoch")))
    rates = [row["learning_rate"] for row in run.history]
    k = np.array([5, 10])  # updates of the second phase behind the second and the third epoch
    cosine = 0.01 * (1 + np.cos(np.pi * (k - 2) / 8)) / 2
    np.testing.assert_allclose(rates, [0.5, *cosine], rtol=1e-5, atol=1e-9)


def test_a_run_shorter_than_its_head_phase_ends_in_it_and_says_so(
    fine_tune, photo_folder, tmp_path, capsys
):
    recipe = fine_tune.scaled(length=Epochs(1))
    run = train(recipe, data=f"folder:{photo_folder}", out=tmp_path / "run")
    assert [row["learning_rate"] for row in run.history] == pytest.approx([0.01])
    assert "From epoch 1 on the head alone learns, to the end." in capsys.readouterr().out


@pytest.fixture
def everything(fine_tune):
    """All that makes two phases hard to resume."""
    values = {
        "augmentation": (FlipLeftRight(), MixUp(), CutMix()),
        "class_weights": "balanced",
        "label_smoothing": 0.1,
        "dropout_rate": 0.2,
        "ema": 0.9,
        "early_stop": EarlyStop(2),
    }
    return fine_tune.replace(**{field: choice(value, "test") for field, value in values.items()})


@pytest.fixture
def unbroken(go, everything):
    return go(everything, "unbroken", checkpoint_every=2, mixed_precision="float16")


def test_killed_runs_end_with_the_same_bits_in_either_phase(
    go, everything, unbroken, kill, assert_alike, trunk, tmp_path
):
    """From a checkpoint in the head phase, across its end within an epoch, and from one behind."""
    source = trunk.read_bytes(), trunk.with_suffix(".json").read_bytes()
    for step in (7, 9):
        name, options = f"broken{step}", {"checkpoint_every": 2, "mixed_precision": "float16"}
        kill(step, lambda: go(everything, name, **options))  # noqa: B023 - called at once
        trunk.unlink()  # the checkpoints have all that a run goes on from
        resumed = resume(tmp_path / name, quiet=True)
        trunk.write_bytes(source[0])
        assert_alike(resumed, unbroken)


def test_death_before_the_first_step_starts_from_the_weights_again(
    go, fine_tune, kill, assert_alike, tmp_path
):
    fine_tune = fine_tune.scaled(length=Epochs(1))
    whole = go(fine_tune, "whole")
    kill(1, lambda: go(fine_tune, "broken"))
    shutil.rmtree(tmp_path / "broken" / "checkpoints")  # as if it had died even earlier
    assert_alike(resume(tmp_path / "broken", quiet=True), whole)


def test_the_epsilon_of_a_run_goes_with_its_weights(go, tiny_resnet, tmp_path):
    """It is no option of the net: a recipe set it, and the weights fit no other."""
    options = {"momentum": 0.8, "epsilon": 0.01}
    first = go(
        tiny_resnet.replace(length=choice(Steps(1), "short"), batch_norm=choice(options, "test")),
        "first",
    )
    recipe = recipes.get("fine_tune").set("weights", str(first.path))
    settled = settle(recipe)
    assert settled.batch_norm.value == {"epsilon": 0.01}
    model = build_model(settled.scaled(classes=2), 3)
    norms = [layer for layer in model.layers if isinstance(layer, BatchNormalization)]
    assert {layer.epsilon for layer in norms} == {0.01}
    assert set(load_start(model, settled, ("blue", "red")).matched) > {norms[0].name}
    given = settle(recipe.set("batch_norm", "{'epsilon': 0.001}"))
    assert given.batch_norm.value == {"epsilon": 0.001}
    with pytest.raises(InputError, match="epsilon"):
        load_start(build_model(given.scaled(classes=2), 3), given, ("blue", "red"))


@pytest.mark.parametrize(
    ("losses", "head_epochs", "is_due"),
    [
        ([], 0, False),
        ([3.0, 2.0, 1.0], 0, False),
        ([3.0, 1.0, 2.0], 0, False),
        ([3.0, 1.0, 2.0, 1.5], 0, True),
        ([3.0, 1.0, 1.0, 1.0], 0, True),
        ([1.0, 2.0, 3.0], 2, False),  # the phase behind the head's has an epoch of patience left
        ([1.0, 2.0, 3.0, 4.0], 2, True),
    ],
)
def test_early_stop_waits_for_patience(losses, head_epochs, is_due):
    assert EarlyStop(2).is_due(losses, head_epochs) == is_due


def test_early_stop_keeps_the_weights_of_the_best_epoch(go, fine_tune):
    """A rate that wrecks the net behind the head phase: its best epoch is in there."""
    recipe = fine_tune.replace(
        length=choice(Epochs(9), "long"),
        head_phase=choice(HeadPhase(Epochs(2), Constant(0.01)), "test"),
        schedule=choice(Constant(3.0), "too high"),
        clip_norm=choice(1.0, "lest it diverges"),
        early_stop=choice(EarlyStop(2), "test"),
    )
    run = go(recipe)
    losses = [row["val_loss"] for row in run.history]
    assert len(losses) == max(best_epoch(losses) + 1, 2) + 2
    assert len(losses) < 9
    assert run.evaluation["split"] == "validation"
    assert run.evaluation["loss"] == pytest.approx(min(losses), rel=1e-6)
    best = best_epoch(losses) + 1
    assert run.evaluation["epoch"] == best
    page = run.report.read_text()
    assert f"Figures and saved model are those of epoch {best}, the best one." in page
    assert "includes L2, label smoothing, class weights and auxiliary heads" in page
    (run.path / "model.keras").unlink()  # a run that lost a file is finished, not trained on
    again = resume(run.path, quiet=True)
    assert len(again.history) == len(losses)
    assert again.evaluation == run.evaluation


def test_early_stop_needs_no_trained_weights(go, tiny_recipe):
    run = go(tiny_recipe.replace(early_stop=choice(EarlyStop(1), "test")))
    assert run.evaluation["loss"] == pytest.approx(min(row["val_loss"] for row in run.history))


def test_the_net_and_its_size_are_those_of_the_weights(trunk, photo_folder, tmp_path):
    recipe = recipes.get("fine_tune").set("weights", str(trunk)).set("batch_size", "8")
    recipe = recipe.set("length", "Steps(1)")
    run = train(recipe, data=f"folder:{photo_folder}", out=tmp_path / "run", quiet=True)
    assert run.recipe.net == "ResNetCIFAR"
    assert run.recipe.model_options.value["width_multiplier"] == 0.5
    assert run.recipe.input_size.value == 16
    assert run.recipe.classes.value == 2
    card = ModelCard.read(run.path / "model.keras")
    assert card.classes == ("blue", "red")
    assert card.preprocessing.mode == "cifar"


def test_a_net_that_the_user_names_is_not_that_of_the_weights(fine_tune, trunk):
    assert settle(fine_tune).net == "ResNetCIFAR"
    assert settle(fine_tune.with_model("ResNet18")).net == "ResNet18"


def test_scaling_goes_with_the_weights(fine_tune, trunk):
    card = json.loads(trunk.with_suffix(".json").read_text())
    card["preprocessing"]["mode"] = "torch"
    trunk.with_suffix(".json").write_text(json.dumps(card))
    assert preprocessing_of(fine_tune, 3).mode == "torch"
    plain = fine_tune.replace(weights=choice(None, "test"))
    assert preprocessing_of(plain, 3).mode == "cifar"


@pytest.mark.parametrize(
    ("model", "source", "net", "size", "mode", "interpolation"),
    [
        (None, "VGG16.torchvision", "VGG16", 224, "torch", "bilinear"),
        ("VGG16", "imagenet", "VGG16", 224, "caffe", "bicubic"),
        (None, "ResNet50.torchvision_v2", "ResNet50:v1.5", 224, "torch", "bilinear"),
        ("ResNet50", "ResNet50.torchvision_v2", "ResNet50:v1.5", 224, "torch", "bilinear"),
        ("InceptionV4", "imagenet", "InceptionV4", 299, "tf", "bicubic"),
        (None, "imagenet", "Xception", 299, "tf", "bicubic"),
        ("LeNet5:modern", "None", "LeNet5:modern", 32, "lenet", "bilinear"),
    ],
)
def test_net_size_and_scaling_are_those_of_public_weights(
    model, source, net, size, mode, interpolation
):
    recipe = recipes.get("fine_tune").set("dropout_rate", "0")
    recipe = recipe if model is None else recipe.with_model(model)
    settled = settle(recipe.set("weights", source))
    found = preprocessing_of(settled, 3)
    assert settled.net == net
    assert (found.size, found.mode, found.interpolation) == (size, mode, interpolation)
    assert settle(settled) == settled


def test_an_option_that_the_net_lacks_says_what_the_recipe_should_have():
    recipe = recipes.get("fine_tune").with_model("LeNet5").set("weights", "None")
    with pytest.raises(InputError, match="LeNet5 has .*`--set dropout_rate=0`.*Received: 0.2"):
        preprocessing_of(settle(recipe), 3)


@pytest.fixture
def torch_file(tmp_path, monkeypatch):
    """A file with the published hash of torchvision's VGG-16, under a name of its own."""
    monkeypatch.setattr(
        "keras_convnets.weights.sources.digest",
        lambda path, kind: {"sha256": "397923af" + "0" * 56}[kind],
    )
    (tmp_path / "mine.pth").write_bytes(b"VGG16.torchvision")
    return str(tmp_path / "mine.pth")


def test_a_file_of_the_catalog_is_known_by_its_hash(torch_file):
    recipe = settle(recipes.get("fine_tune").set("weights", torch_file))
    assert recipe.net == "VGG16"
    assert preprocessing_of(recipe, 3).mode == "torch"
    notes = notes_on_start(recipe, CLASSES, "torch")
    assert notes == [
        "Images are scaled as 'torch', as for VGG16.torchvision, which 'mine.pth' is.",
        "The head starts anew: theirs is for tench, goldfish, great_white_shark, tiger_shark and "
        "996 more.",
    ]


def test_a_file_without_a_published_hash_is_known_by_its_name(tmp_path):
    path = tmp_path / "vgg_16_2016_08_28.tar.gz"
    path.write_bytes(b"weights")
    recipe = recipes.get("fine_tune").with_model("VGG16").set("weights", str(path))
    assert preprocessing_of(settle(recipe), 3).mode == "slim_vgg"


def test_the_scaling_for_a_file_that_nobody_knows_is_told_and_can_be_chosen(tmp_path):
    (tmp_path / "vgg16-397923af.pth").write_bytes(b"not what was published")
    path = str(tmp_path / "vgg16-397923af.pth")
    recipe = settle(recipes.get("fine_tune").with_model("VGG16").set("weights", path))
    assert preprocessing_of(recipe, 3).mode == "caffe"
    told, head = notes_on_start(recipe, CLASSES, "caffe")
    assert told == (
        "Images are scaled as 'caffe', as for VGG16, for nothing says what the file wants; "
        "`--set preprocessing=MODE` changes it."
    )
    assert head == "The head starts anew: nothing says which classes that of the file has."
    chosen = recipe.set("preprocessing", "torch")
    assert preprocessing_of(chosen, 3).mode == "torch"
    assert notes_on_start(chosen, CLASSES, "torch")[0].endswith(
        "as the recipe's `preprocessing` says."
    )


def test_scaling_other_than_that_of_known_weights_is_refused(fine_tune):
    with pytest.raises(InputError, match="are scaled as 'cifar', so .*Received: 'torch'"):
        preprocessing_of(fine_tune.set("preprocessing", "torch"), 3)
    assert preprocessing_of(fine_tune.set("preprocessing", "cifar"), 3).mode == "cifar"


def test_a_head_for_other_classes_starts_anew_however_many_they_are(fine_tune, trunk):
    """Two layers of one shape say nothing of what they tell apart."""
    recipe = fine_tune.replace(classes=choice(3, "test"))
    for classes, is_kept in ((CLASSES, True), (("ant", "bee", "cat"), False)):
        model = build_model(recipe, 3)
        random = model.get_layer("predictions").get_weights()[0]
        report = load_start(model, recipe, classes)
        kernel = model.get_layer("predictions").get_weights()[0]
        trained = source_model(trunk).get_layer("predictions").get_weights()[0]
        np.testing.assert_array_equal(kernel, trained if is_kept else random)
        assert ("predictions" in report.matched) == is_kept
        assert report.reinitialized == (() if is_kept else ("predictions",))
    kept, anew = (notes_on_start(recipe, c, "cifar")[1] for c in (CLASSES, ("ant", "bee", "cat")))
    assert kept == "The head is kept: its classes are those of the data."
    assert anew == "The head starts anew: theirs is for green, yellow, violet."


def test_a_file_that_does_not_fit_the_recipe_s_own_net_asks_for_a_name(tiny_resnet, tmp_path):
    recipe = tiny_resnet.replace(classes=choice(3, "test"))
    build_model(recipe, 3).save(tmp_path / "bare.keras")
    recipe = recipes.get("fine_tune").set("weights", str(tmp_path / "bare.keras"))
    recipe = settle(recipe.set("classes", "3"))
    with pytest.raises(InputError, match="does not fit 'xception'.*name that .`--model NET`"):
        load_start(build_model(recipe, 3), recipe, CLASSES)


def test_weights_of_another_graph_are_refused():
    recipe = recipes.get("fine_tune").with_model("ResNet50:v1")
    with pytest.raises(InputError, match="belong to .*variant='v1.5'"):
        settle(recipe.set("weights", "ResNet50.torchvision_v2"))


def test_what_the_weights_lack_is_told(fine_tune, photo_folder, tmp_path, capsys):
    recipe = fine_tune.replace(length=choice(Steps(1), "short"))
    train(recipe, data=f"folder:{photo_folder}", out=tmp_path / "run")
    out = capsys.readouterr().out
    assert "start anew: predictions" in out
    assert "Images are scaled as 'cifar', as for '" in out
    assert "The head starts anew: theirs is for green, yellow, violet." in out
    assert "From epoch 1 on the head alone learns, to the end." in out


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("weights", "nowhere.keras", "nowhere.keras"),
        ("freeze_until", "block99", "`freeze_until` should name a layer .* such as conv1_relu."),
        ("freeze_until", "predictions", "'predictions' of 'resnet_cifar' is nothing that could"),
    ],
)
def test_bad_starts_are_refused_before_anything_is_written(
    go, fine_tune, tmp_path, field, value, message
):
    with pytest.raises(InputError, match=message):
        go(fine_tune.set(field, value))
    assert not (tmp_path / "run").exists()


def spoil(path, start=300):
    path.write_bytes(path.read_bytes()[:start])


def test_images_that_cannot_be_read_are_left_out_and_listed(
    go, tiny_recipe, photo_folder, tmp_path, kill, capsys
):
    """One without a header and one that is cut short."""
    recipe = tiny_recipe.replace(length=choice(Steps(2), "short"))
    spoil(photo_folder / "red" / "3.png", 5)
    spoil(photo_folder / "blue" / "4.png")
    kill(1, lambda: go(recipe, max_skipped=0.1))
    run = resume(tmp_path / "run", quiet=True)
    rows = json.loads((run.path / "skipped.json").read_text())
    assert [row["file"][-10:] for row in rows] == ["/red/3.png", "blue/4.png"]
    assert "is not an image" in rows[0]["reason"]
    assert "can't be decoded" in rows[1]["reason"]
    assert run.settings.training_images == 20
    assert "3.png" in run.report.read_text()


def test_too_many_bad_images_are_refused_before_anything_is_written(
    go, tiny_recipe, photo_folder, tmp_path
):
    for i in range(2):
        spoil(photo_folder / "red" / f"{i}.png")
    with pytest.raises(InputError, match="Of the 24 images of .* 2 can't be read, which is 8.3%"):
        go(tiny_recipe)
    assert not (tmp_path / "run").exists()


def test_an_image_that_was_mended_is_changed_data(go, tiny_recipe, photo_folder, tmp_path, kill):
    path = photo_folder / "red" / "3.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:300].ljust(len(whole), b"\xff"))  # of the same size
    kill(3, lambda: go(tiny_recipe))
    path.write_bytes(whole)
    with pytest.raises(InputError, match="changed since the run began"):
        resume(tmp_path / "run", quiet=True)


def test_a_class_of_one_image_is_refused(go, tiny_recipe, photo_folder):
    for i in range(1, 12):
        (photo_folder / "red" / f"{i}.png").unlink()
    with pytest.raises(InputError, match="at least 2 images, for one is held out.*'red' 1"):
        go(tiny_recipe)


def test_test_images_that_cannot_be_read_do_not_stop_the_end(
    go, tiny_recipe, photo_folder, tmp_path
):
    for name in ("train", "test"):
        shutil.copytree(photo_folder, tmp_path / "split" / name)
    spoil(tmp_path / "split" / "test" / "red" / "3.png")
    recipe = tiny_recipe.replace(length=choice(Steps(1), "short"))
    run = train(recipe, data=f"folder:{tmp_path / 'split'}", out=tmp_path / "run", quiet=True)
    assert run.evaluation["n"] == 23
    assert [row["file"][-5:] for row in run.skipped] == ["3.png"]
    assert len(data.load(f"folder:{tmp_path / 'split'}").test) == 24
