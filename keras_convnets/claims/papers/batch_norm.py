"""What Ioffe and Szegedy 2015 (arXiv 1502.03167) say of batch normalization."""

from keras_convnets.claims.claim import Arm, Claim
from keras_convnets.claims.rules import Contrast

PAPER = "Ioffe and Szegedy 2015, arXiv 1502.03167"
_SMALL = {
    "small_input": True,
    "width_multiplier": 0.125,
    "repeats": (1, 3, 1),
    "local_response_norm": False,
}
# As low as a net without normalization needs it.
_RATE = 0.01
_STEPS = "minus_steps_to_75"


def _normalized(name: str, factor: int) -> Arm:
    return Arm(name, "GoogLeNet", {**_SMALL, "batch_norm": True}, fields={"rate": factor * _RATE})


STEPS = Claim(
    name="batch_norm_steps",
    title="With batch normalization the same accuracy takes far fewer steps",
    paper=PAPER,
    section="4.2.2, figure 2 and table 3",
    sentence="The normalized Inception reaches the accuracy of the plain one in less than half of "
    "the steps, and with five times the rate in a fourteenth.",
    arms=(
        Arm(
            "plain",
            "GoogLeNet",
            {**_SMALL, "batch_norm": False},
            fields={"rate": _RATE, "batch_norm": None},
        ),
        _normalized("normalized", 1),
        _normalized("normalized, 5 x rate", 5),
    ),
    rules=(
        Contrast("fewer steps to 75 %", {"normalized": 1, "plain": -1}, metric=_STEPS),
        Contrast(
            "5 x rate: fewer steps to 75 %", {"normalized, 5 x rate": 1, "plain": -1}, metric=_STEPS
        ),
        Contrast("5 x rate ends better", {"normalized, 5 x rate": 1, "plain": -1}),
    ),
    fields={"initializer": "glorot_uniform"},
    remarks=(
        "Steps between two evaluations are on straight lines.",
        "Xavier's initial weights in all arms, as in Caffe's GoogLeNet: with He's the plain net, "
        "whose images are not scaled, begins with a loss of over 1,000 and diverges.",
    ),
)

CLAIMS = (STEPS,)
