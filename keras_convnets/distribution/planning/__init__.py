"""What distributed training would cost, by arithmetic: numbers in, nothing is run."""

from keras_convnets.distribution.planning.assumptions import (
    GIVEN,
    Assumption,
    Assumptions,
    assume,
)
from keras_convnets.distribution.planning.devices import DEVICES, Device, find_device
from keras_convnets.distribution.planning.placement import place
from keras_convnets.distribution.planning.plan import MOST_PROCESSES, Plan, check_cluster, make_plan
from keras_convnets.distribution.planning.readings import Reading, read_steps
from keras_convnets.distribution.planning.speeds import parse_speed
from keras_convnets.distribution.planning.work import Variable, Work

__all__ = [
    "DEVICES",
    "GIVEN",
    "MOST_PROCESSES",
    "Assumption",
    "Assumptions",
    "Device",
    "Plan",
    "Reading",
    "Variable",
    "Work",
    "assume",
    "check_cluster",
    "find_device",
    "make_plan",
    "parse_speed",
    "place",
    "read_steps",
]
