"""Every claim that ships: its nets, their cost, and what decides."""

import dataclasses
import functools

import pytest

from keras_convnets import claims
from keras_convnets.claims import HeatMap, base, papers
from keras_convnets.claims.arms import recipe_of, settle
from keras_convnets.claims.claim import MOST_MACS, MOST_RUNS, TOLERANCE
from keras_convnets.claims.metrics import METRICS
from keras_convnets.errors import InputError

ALL = [claims.get(name) for name in claims.names()]


@functools.cache
def nets_of(name):
    return settle(claims.get(name), 1, 10, 5)


every_claim = pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)


@every_claim
def test_nets_are_small_and_of_equal_cost_where_the_paper_has_them_equal(claim):
    nets = nets_of(claim.name)
    first = nets[0]
    for net in nets:
        assert net.macs <= MOST_MACS
        if net.arm.free:
            cost, goal = (
                (net.parameters, first.parameters)
                if claim.equal == "params"
                else (net.macs, first.macs)
            )
            assert abs(cost / goal - 1) <= TOLERANCE


@every_claim
def test_a_claim_takes_at_most_twelve_runs(claim):
    assert len(claim.arms) * claim.seeds <= MOST_RUNS


@every_claim
def test_rules_and_figures_name_arms_and_metrics_that_there_are(claim):
    names = [arm.name for arm in claim.arms]
    assert len(set(names)) == len(names)
    for rule in claim.rules:
        assert set(rule.arms) <= set(names)
        assert rule.metric in METRICS
    if isinstance(claim.figure, HeatMap):
        assert {name for row in claim.figure.arms for name in row} == set(names)


@every_claim
def test_each_arm_has_a_recipe(claim):
    for net in nets_of(claim.name):
        recipe = recipe_of(claim, net, 100, "fashion_mnist_6k")
        assert recipe.length.value.count == 100
        tuned = recipe_of(claim, net, 100, "fashion_mnist_6k", rate=0.25, l2=1e-3)
        assert tuned.l2.value == 1e-3
        assert tuned.schedule.value.scaled(0.2) == made_by(claim)(0.05, 100)


def made_by(claim):
    """What makes the schedule of a claim from rate and steps."""
    return claim.fields.get("schedule", base.schedule)


def test_nets_for_one_label_differ_in_their_last_layer_alone():
    """50 labels against 10: 40 columns and biases less for each feature."""
    v3, xception, v3_one, xception_one = settle(claims.get("gap_with_several_labels"), 1, 50, 10)
    assert dict(xception.options) == dict(xception_one.options)
    for net, one in ((v3, v3_one), (xception, xception_one)):
        assert (net.parameters - one.parameters) % 40 == 0
        assert net.parameters > one.parameters


def test_cardinalities_have_the_templates_of_table_2():
    """papers.md 12a: within the paper's own differences of cost."""
    nets = nets_of("resnext_cardinality")
    assert [net.arm.name for net in nets] == ["1x64d", "2x40d", "4x24d", "32x4d"]
    assert max(net.parameters for net in nets) / min(net.parameters for net in nets) < 1.05


def test_the_names_of_claims_are_the_first_words_of_a_command():
    assert len(papers.names()) == len(set(papers.names()))
    with pytest.raises(InputError, match="nearest names are xception_residuals"):
        claims.get("xception_residual")


def test_a_net_that_can_not_have_the_cost_of_the_first_is_refused(tiny_claim):
    arms = (
        claims.Arm("small", "ResNetCIFAR", {"depth": 8, "width_multiplier": 0.5}),
        claims.Arm("deep", "ResNetCIFAR", {"width_multiplier": 0.25}, free="depth"),
    )
    claim = dataclasses.replace(tiny_claim, arms=arms, fields={})
    with pytest.raises(InputError, match="'deep' of 'tiny' can't have the cost of the first"):
        settle(claim, 1, 10)


def test_a_net_that_is_too_large_is_refused(tiny_claim):
    claim = dataclasses.replace(tiny_claim, arms=(claims.Arm("large", "ResNetCIFAR", {}),))
    with pytest.raises(InputError, match="at most 5,000,000 multiply-adds. Received: 40,"):
        settle(claim, 1, 10)
