"""The seed of the first weights apart from that of everything else."""

import keras
import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.training import Epochs, choice, resume, train
from keras_convnets.training.preparation import load_data, make_model, make_settings
from keras_convnets.training.run import Settings


@pytest.fixture
def make(tiny_recipe, photo_folder):
    """A function that makes the net of a run with dropout, before it learns."""

    def apply(seed, initial_seed=None):
        recipe = tiny_recipe.replace(
            model=choice("NIN", "test"),
            variant=choice(None, "test"),
            model_options=choice({"width_multiplier": 0.1}, "test"),
            dropout_rate=choice(0.5, "test"),
        )
        recipe, images = load_data(recipe, f"folder:{photo_folder}", seed)
        settings = make_settings(recipe, images, seed, None, None)
        return make_model(
            recipe, images, Settings(**vars(settings) | {"initial_seed": initial_seed})
        )

    return apply


def dropout_states(model):
    """The states of the generators that draw what is dropped."""
    return [
        layer.seed_generator.state.numpy()
        for layer in model.layers
        if isinstance(layer, keras.layers.Dropout)
    ]


def test_first_weights_may_have_a_seed_of_their_own(make):
    """GoogLeNet's members began with the same weights (papers.md 5c); dropout was their own."""
    mine, theirs, member = make(1), make(2), make(1, initial_seed=2)
    assert any(
        (a != b).any() for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True)
    )
    for a, b in zip(member.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert dropout_states(member)
    np.testing.assert_array_equal(dropout_states(member), dropout_states(mine))
    assert (np.array(dropout_states(mine)) != dropout_states(theirs)).any()


def test_members_of_an_ensemble_hold_out_the_same_images(
    tiny_recipe, photo_folder, tmp_path, kill, assert_alike
):
    """Those that share their first weights; else each seed holds out images of its own."""

    def go(name, **seeds):
        options = {"data": f"folder:{photo_folder}", "out": tmp_path / name, "quiet": True}
        return train(tiny_recipe.scaled(length=Epochs(1)), **options, **seeds)

    first, member = go("first"), go("member", seed=4, initial_seed=0)
    assert member.settings.fingerprint == first.settings.fingerprint
    assert member.settings.hold_out_seed == first.settings.hold_out_seed == 0
    assert go("other", seed=4).settings.fingerprint != first.settings.fingerprint
    kill(2, lambda: go("broken", seed=4, initial_seed=0))
    assert_alike(resume(tmp_path / "broken", quiet=True), member)


def test_a_bad_seed_is_refused(tiny_recipe, photo_folder, tmp_path):
    with pytest.raises(InputError, match="seed should be an integer of at least 0"):
        train(
            tiny_recipe,
            data=f"folder:{photo_folder}",
            out=tmp_path / "run",
            initial_seed=-1,
            quiet=True,
        )
