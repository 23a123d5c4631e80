"""How good a net is on images that it was not trained on."""

from keras_convnets.evaluation.average_precision import MeanAveragePrecision
from keras_convnets.evaluation.calibration import Calibration, ReliabilityBin, wilson_interval
from keras_convnets.evaluation.dense import dense_net
from keras_convnets.evaluation.multi_label import (
    LabelScore,
    MultiLabelEvaluation,
    evaluate_multi_label,
)
from keras_convnets.evaluation.prediction import Evaluator, Member, Result
from keras_convnets.evaluation.protocols import (
    CenterCrop,
    DenseEvaluation,
    GoogLeNetCrops,
    MultiScale,
    Protocol,
    TenCrops,
    TwelveCrops,
)
from keras_convnets.evaluation.scores import ClassScore, Evaluation, evaluate

__all__ = [
    "Calibration",
    "CenterCrop",
    "ClassScore",
    "DenseEvaluation",
    "Evaluation",
    "Evaluator",
    "GoogLeNetCrops",
    "LabelScore",
    "MeanAveragePrecision",
    "Member",
    "MultiLabelEvaluation",
    "MultiScale",
    "Protocol",
    "ReliabilityBin",
    "Result",
    "TenCrops",
    "TwelveCrops",
    "dense_net",
    "evaluate",
    "evaluate_multi_label",
    "wilson_interval",
]
