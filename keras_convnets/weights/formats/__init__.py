"""Weight files as named tensors; each format is a module, and none runs code of a file."""
