"""Room for graphs of thousands of layers."""

import sys
import threading

from keras_convnets.recursion import DEEP, deep_graphs


def test_limit_is_raised_inside_and_as_before_outside():
    before = sys.getrecursionlimit()
    with deep_graphs(), deep_graphs():
        assert sys.getrecursionlimit() == DEEP
    assert sys.getrecursionlimit() == before


def test_the_last_of_several_threads_lowers_it():
    before = sys.getrecursionlimit()
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with deep_graphs():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    with deep_graphs():
        thread.start()
        assert entered.wait(10)
    assert sys.getrecursionlimit() == DEEP
    leave.set()
    thread.join()
    assert sys.getrecursionlimit() == before
