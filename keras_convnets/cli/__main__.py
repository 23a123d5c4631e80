"""`python -m keras_convnets.cli`, where the command itself is not at hand."""

from keras_convnets.cli import main

if __name__ == "__main__":
    main()
