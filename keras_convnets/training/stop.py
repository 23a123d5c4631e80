"""Signals that ask a run to stop; see `keras_convnets.stopping`."""

from keras_convnets.stopping import StopRequest, stop_requests

__all__ = ["StopRequest", "stop_requests"]
