"""What a search is about, decided once and kept beside its trials."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_convnets.errors import InputError, check_choice, check_number
from keras_convnets.files import read_json, write_json
from keras_convnets.training.recipe import FIELDS, Recipe
from keras_convnets.tuning.limits import Limits
from keras_convnets.tuning.spaces import Space, parse_space

if TYPE_CHECKING:
    import keras_tuner

FILE = "plan.json"
TUNERS = ("random", "bayesian", "hyperband")
_MISSING = "nothing"


@dataclasses.dataclass(frozen=True)
class Question:
    """What a user asks for; the same question goes on with what is there.

    Attributes:
        recipe: what is tuned.
        space: names of hyper-parameters, as `parse_space` reads them.
        tuner: "random", "bayesian" or "hyperband".
        data: images, a spec of `data.load`; `None` for those of the recipe.
        seed: of the draws, and of every run.
        parameters: the most that a net may have; `None` for any number.
        macs: the most multiply-adds of an image.
        memory: the most bytes that a step may need.

    Raises:
        InputError: if something can't be.
    """

    recipe: Recipe
    space: str
    tuner: str = "random"
    data: str | None = None
    seed: int = 0
    parameters: int | None = None
    macs: int | None = None
    memory: int | None = None

    def __post_init__(self):
        check_choice("tuner", self.tuner, TUNERS)
        check_number("The seed", self.seed, least=0, below=2**32 - 1, whole=True)

    def to_json(self) -> dict[str, Any]:
        """Returns the question as JSON has it."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**fields, "recipe": self.recipe.to_json()}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Question":
        """Undoes `to_json`."""
        return cls(**{**fields, "recipe": Recipe.from_json(fields["recipe"])})


@dataclasses.dataclass(frozen=True)
class Plan:
    """A question with all that follows from it.

    Attributes:
        question: what was asked; its recipe is settled, for the data.
        axes: the space, as `Space.describe` says it.
        hyperparameters: the same for Keras Tuner.
        objective: the column of history.csv that is maximized.
        channels: of the images.
        classes: of the images.
        fingerprint: of the data.
        epochs: the length of the recipe, for Hyperband; else `None`.
        versions: of what the search began with.
    """

    question: Question
    axes: dict[str, Any]
    hyperparameters: dict[str, Any]
    objective: str
    channels: int
    classes: int
    fingerprint: str
    epochs: int | None
    versions: dict[str, str]

    @classmethod
    def of(cls, question: Question, recipe: Recipe, **fields: Any) -> "Plan":
        """Returns the plan of a question.

        Args:
            question: what was asked.
            recipe: the same, settled for its data.
            **fields: what was found out, by the names of the attributes.
        """
        import keras_tuner

        space, hp = parse_space(question.space, recipe), keras_tuner.HyperParameters()
        space.declare(hp, recipe)
        question = dataclasses.replace(question, recipe=recipe)
        return cls(question, space.describe(), hp.get_config(), **fields)

    def oracle(self, trials: int) -> "keras_tuner.Oracle":
        """Makes the oracle of the search, without what it knows of trials.

        Args:
            trials: how many there are at most.
        """
        from keras_convnets.tuning.oracles import make_oracle

        return make_oracle(
            self.question.tuner,
            self.hyperparameters,
            objective=self.objective,
            trials=trials,
            seed=self.question.seed,
            epochs=self.epochs,
        )

    @property
    def recipe(self) -> Recipe:
        """What is tuned."""
        return self.question.recipe

    @property
    def space(self) -> Space:
        """How values change the recipe."""
        return parse_space(self.question.space, self.recipe)

    @property
    def limits(self) -> Limits:
        """What a net may cost."""
        question = self.question
        return Limits(question.parameters, question.macs, question.memory)

    def write(self, folder: Path) -> None:
        """Writes plan.json."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        write_json(folder / FILE, {**fields, "question": self.question.to_json()})

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Reads plan.json.

        Raises:
            InputError: if it is damaged.
        """
        path = folder / FILE
        fields = read_json(path)
        try:
            return cls(**{**fields, "question": Question.from_json(fields["question"])})
        except (KeyError, TypeError) as error:
            raise InputError(
                f"The file {str(path)!r} is no plan of a search; choose another `--out`. "
                f"Received: {error!r}"
            ) from error

    def check_same(self, kept: "Plan", folder: Path) -> None:
        """Makes sure that a folder's search is this one.

        Raises:
            InputError: if it is another; the message shows the difference.
        """
        asked, there = _identity(self), _identity(kept)
        changed = [
            f"{name} {asked.get(name, _MISSING)} where it began with {there.get(name, _MISSING)}"
            for name in dict.fromkeys((*there, *asked))
            if asked.get(name, _MISSING) != there.get(name, _MISSING)
        ]
        if changed:
            raise InputError(
                f"The folder {str(folder)!r} holds another search; give what it began with, or "
                f"another `--out`. Received: {', '.join(changed)}"
            )


def _identity(plan: Plan) -> dict[str, Any]:
    """What makes a search another one, by names for people."""
    question, recipe = plan.question, plan.recipe
    named = {
        "tuner": question.tuner,
        "seed": question.seed,
        "--max-parameters": question.parameters,
        "--max-macs": question.macs,
        "--max-memory": question.memory,
    }
    space = {f"{name} of the space": value for name, value in plan.axes.items()}
    fields = {f"{field} of the recipe": getattr(recipe, field).value for field in FIELDS}
    images = {"fingerprint of the images": plan.fingerprint}
    return {**named, **space, **fields, **images}
