"""What a net costs and what it computes inside."""

from typing import TYPE_CHECKING, Any

from keras_convnets.analysis.budget import Solution, solve
from keras_convnets.analysis.complexity import Complexity, LayerCost, count_complexity
from keras_convnets.analysis.receptive_field import ReceptiveField, receptive_field
from keras_convnets.analysis.stages import StageCost, cost_by_stage
from keras_convnets.analysis.taps import feature_extractor

if TYPE_CHECKING:
    from keras_convnets.analysis.comparison import compare

__all__ = [
    "Complexity",
    "LayerCost",
    "ReceptiveField",
    "Solution",
    "StageCost",
    "compare",
    "cost_by_stage",
    "count_complexity",
    "feature_extractor",
    "receptive_field",
    "solve",
]


def __getattr__(name: str) -> Any:
    if name == "compare":  # draws, so that it needs matplotlib
        from keras_convnets.analysis.comparison import compare

        return compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
