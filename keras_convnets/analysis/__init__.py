"""What a net costs and what it computes inside."""

from keras_convnets.analysis.budget import Solution, solve
from keras_convnets.analysis.complexity import Complexity, LayerCost, count_complexity
from keras_convnets.analysis.receptive_field import ReceptiveField, receptive_field
from keras_convnets.analysis.stages import StageCost, cost_by_stage
from keras_convnets.analysis.taps import feature_extractor

__all__ = [
    "Complexity",
    "LayerCost",
    "ReceptiveField",
    "Solution",
    "StageCost",
    "cost_by_stage",
    "count_complexity",
    "feature_extractor",
    "receptive_field",
    "solve",
]
