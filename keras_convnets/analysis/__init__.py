"""What a net costs and what it computes inside."""

from keras_convnets.analysis.complexity import Complexity, LayerCost, count_complexity
from keras_convnets.analysis.taps import feature_extractor

__all__ = ["Complexity", "LayerCost", "count_complexity", "feature_extractor"]
