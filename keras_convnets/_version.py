"""The version of the package: a file of its own, so that setup reads it without Keras."""

__version__ = "0.1.0.dev0"
