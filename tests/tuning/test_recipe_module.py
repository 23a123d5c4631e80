"""Recipes as Python modules: written, and read by `recipes.get`."""

import dataclasses

import pytest

from keras_convnets import recipes
from keras_convnets.training import Recipe, choice
from keras_convnets.tuning.recipe_module import recipe_module


@pytest.mark.parametrize("name", recipes.names(with_options=True))
def test_a_written_recipe_is_read_as_it_was(name, tmp_path):
    recipe = recipes.get(name)
    path = tmp_path / "best.py"
    path.write_text(recipe_module(recipe, "The best.\n\nOf all."))
    read = recipes.get(path)
    assert (read.name, read.about) == ("best", "The best.")
    assert dataclasses.replace(read, name=recipe.name, about=recipe.about) == recipe


def test_texts_can_not_end_their_literals(tmp_path):
    evil = '"""\'\\"\n\\N{NO SUCH}\x00\u2028'
    recipe = recipes.get("lenet5_mnist")
    recipe = recipe.replace(
        hardware=choice(evil, evil), model_options=choice({evil: evil}, "a test")
    )
    path = tmp_path / "best.py"
    path.write_text(recipe_module(recipe, 'The "best" """ of \\all'), encoding="utf-8")
    read = recipes.get(path)
    assert (read.hardware, read.model_options) == (recipe.hardware, recipe.model_options)
    assert read.about == "The \"best\" ''' of \\all"


def test_only_what_is_not_a_default_is_written():
    recipe = recipes.get("lenet5_mnist")
    text = recipe_module(recipe, "The best.")
    assert "early_stop" not in text
    assert "early_stop" in recipe_module(
        recipe.replace(early_stop=choice(None, "another reason")), "The best."
    )
    assert isinstance(recipe, Recipe)
