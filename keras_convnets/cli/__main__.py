"""`python -m keras_convnets.cli`, where the command itself is not at hand."""

from keras_convnets.cli import main

main()
