"""Data that ships with the package; fashion_mnist_6k.LICENSE is its licence."""
