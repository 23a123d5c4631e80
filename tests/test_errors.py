"""Messages name what is allowed and what was received."""

import pytest

from keras_convnets.errors import InputError, check_number, nearest


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (0, {"least": 0}),
        (0.5, {"above": 0, "below": 1}),
        (1, {"most": 1, "whole": True}),
    ],
)
def test_good_numbers_pass(value, limits):
    check_number("It", value, **limits)


@pytest.mark.parametrize(
    ("value", "limits", "message"),
    [
        (-1, {"least": 0}, "It should be a number of at least 0. Received: -1"),
        (0, {"above": 0, "below": 1}, "a number above 0 and below 1"),
        (1.5, {"most": 1}, "a number of at most 1"),
        (1.5, {"least": 1, "whole": True}, "an integer of at least 1"),
        ("1", {"least": 1}, "Received: '1'"),
        (True, {"least": 0}, "Received: True"),
        (float("nan"), {"least": 0}, "Received: nan"),
        (float("inf"), {"least": 0}, "Received: inf"),
    ],
)
def test_bad_numbers_are_named(value, limits, message):
    with pytest.raises(InputError, match=message):
        check_number("It", value, **limits)


def test_nearest_is_likely_or_all():
    words = ("batch_size", "classes", "l2", "schedule")
    assert nearest("clases", words) == "classes"
    assert nearest("xyz", words) == "batch_size, classes, l2, schedule"
