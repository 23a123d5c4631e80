"""What the papers of Inception-v3 (1512.00567) and Inception-v4 (1602.07261) say."""

from keras_convnets.claims.claim import Arm, Claim
from keras_convnets.claims.rules import Contrast
from keras_convnets.training import Constant, MovingAverage

V3_PAPER = "Szegedy et al. 2016, arXiv 1512.00567"
V4_PAPER = "Szegedy et al. 2017, arXiv 1602.07261"
_SMALL = {"small_input": True, "repeats": (1, 1, 1)}
_V3 = {**_SMALL, "width_multiplier": 0.08}

FACTORED_ACTIVATION = Claim(
    name="factored_activation",
    title="ReLU inside factored pairs beats linear activation",
    paper=V3_PAPER,
    section="3.1, figure 2",
    sentence="Between the two convolutions that a larger one is factored into, ReLU gives 77.2 % "
    "and a linear activation 76.2 % top-1; it was better in all their trials.",
    arms=(
        Arm("ReLU", "InceptionV3", _V3),
        Arm("linear", "InceptionV3", {**_V3, "factored_activation": "linear"}),
    ),
    rules=(Contrast("ReLU ends better", {"ReLU": 1, "linear": -1}),),
)

LABEL_SMOOTHING = Claim(
    name="label_smoothing",
    title="Label smoothing of 0.1 makes a net more accurate",
    paper=V3_PAPER,
    section="7",
    sentence="Label smoothing of 0.1 raises top-1 and top-5 accuracy by about 0.2 points.",
    arms=(
        Arm("smoothed", "InceptionV3", _V3, fields={"label_smoothing": 0.1}),
        Arm("not smoothed", "InceptionV3", _V3),
    ),
    rules=(Contrast("smoothing ends better", {"smoothed": 1, "not smoothed": -1}),),
    remarks=("0.2 points are less than a few seeds can tell from nothing.",),
)


def _constant(rate: float, steps: int) -> Constant:
    return Constant(rate)


AVERAGED_WEIGHTS = Claim(
    name="averaged_weights",
    title="Averaged weights are better than the last ones",
    paper=V3_PAPER,
    section="8",
    sentence="Evaluation uses a running average of the weights over time.",
    arms=(
        Arm("averaged", "InceptionV3", _V3, fields={"ema": MovingAverage(0.99)}),
        Arm("last", "InceptionV3", _V3),
    ),
    rules=(
        Contrast("the average ends better", {"averaged": 1, "last": -1}),
        Contrast(
            "the average is ahead on the way",
            {"averaged": 1, "last": -1},
            metric="mean_validation_top1",
        ),
    ),
    fields={"schedule": _constant, "rate": 0.02},
    remarks=(
        "At a constant rate, for one that falls to nothing averages by itself. The mean is over "
        "some 100 steps (0.99) and over fewer at first, as in the released trainer of "
        "Inception-v3, so that it soon forgets the first weights.",
    ),
)

RESIDUAL_V3 = Claim(
    name="inception_v3_against_inception_resnet_v1",
    title="Inception-ResNet-v1 learns faster than Inception-v3 and ends about the same",
    paper=V4_PAPER,
    section="5, figure 23 and table 2",
    sentence="Of nets of equal cost the residual one trains much faster, and ends slightly worse.",
    arms=(
        Arm("Inception-v3", "InceptionV3", _V3),
        Arm("Inception-ResNet-v1", "InceptionResNetV1", _SMALL, free="width_multiplier"),
    ),
    rules=(
        Contrast(
            "Inception-ResNet-v1 learns faster",
            {"Inception-ResNet-v1": 1, "Inception-v3": -1},
            metric="mean_validation_top1",
        ),
        Contrast("Inception-v3 ends better", {"Inception-ResNet-v1": -1, "Inception-v3": 1}),
    ),
    equal="macs",
    remarks=("One block in each of the three stages.",),
)

RESIDUAL_V4 = Claim(
    name="inception_v4_against_inception_resnet_v2",
    title="Inception-ResNet-v2 learns faster than Inception-v4 and ends slightly better",
    paper=V4_PAPER,
    section="5, figure 24 and table 2",
    sentence="Of nets of equal cost the residual one trains much faster, and ends slightly better.",
    arms=(
        Arm("Inception-v4", "InceptionV4", {**_SMALL, "width_multiplier": 0.04}),
        Arm("Inception-ResNet-v2", "InceptionResNetV2:paper", _SMALL, free="width_multiplier"),
    ),
    rules=tuple(
        Contrast(
            f"Inception-ResNet-v2 {verb}",
            {"Inception-ResNet-v2": 1, "Inception-v4": -1},
            metric=metric,
        )
        for verb, metric in (
            ("learns faster", "mean_validation_top1"),
            ("ends better", "test_top1"),
        )
    ),
    equal="macs",
    remarks=("One block in each of the three stages.",),
)

RESIDUAL_SCALE = Claim(
    name="residual_scale",
    title="Scaling residuals down does not cost accuracy",
    paper=V4_PAPER,
    section="3.3",
    sentence="Scales of 0.1 to 0.3 stabilize nets of over 1,000 filters, which else die, and never "
    "seemed to harm the final accuracy.",
    arms=tuple(
        Arm(
            f"scale {scale}",
            "InceptionResNetV1",
            {**_SMALL, "width_multiplier": 0.07, "residual_scale": scale},
        )
        for scale in (0.1, 0.2, 0.3, 1.0)
    ),
    rules=tuple(
        Contrast(f"{scale} ends better than 1.0", {f"scale {scale}": 1, "scale 1.0": -1})
        for scale in (0.1, 0.2, 0.3)
    ),
    figure="points",
    remarks=(
        "Nets of 5 M multiply-adds have far fewer filters than 1,000, so that what the scale is "
        "for can't be seen here; only whether it costs or gives accuracy.",
    ),
)

CLAIMS = (
    FACTORED_ACTIVATION,
    LABEL_SMOOTHING,
    AVERAGED_WEIGHTS,
    RESIDUAL_V3,
    RESIDUAL_V4,
    RESIDUAL_SCALE,
)
