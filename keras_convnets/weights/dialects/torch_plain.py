"""AlexNet and the VGG nets of torchvision and timm: modules are known by their position."""

from keras_convnets.weights.dialects.torch_layers import StateDict


def alexnet(weights: StateDict) -> None:
    """torchvision's net of "One weird trick"."""
    for i, position in enumerate((0, 3, 6, 8, 10), start=1):
        weights.conv(f"features.{position}", f"conv{i}")
    if "classifier.1" in weights:
        weights.dense("classifier.1", "fc6", reads_a_map=True)
        weights.dense("classifier.4", "fc7")
        weights.head("classifier.6")


def vgg(weights: StateDict) -> None:
    """All depths, with batch normalization or without; a pool leaves a gap in the positions."""
    block, conv = 1, 0
    position = 0
    while f"features.{position}" in weights:
        conv += 1
        layer = f"block{block}_conv{conv}"
        weights.conv(f"features.{position}", layer)
        if weights.kernel_size(f"features.{position + 1}") > 3:  # gammas
            position += 1
            weights.norm(f"features.{position}", f"{layer}_bn")
        position += 2  # behind the activation
        if f"features.{position}" not in weights:
            position += 1
            block, conv = block + 1, 0
    for names in (("classifier.0", "classifier.3"), ("pre_logits.fc1", "pre_logits.fc2")):
        if names[0] in weights:
            weights.dense(names[0], "fc1", reads_a_map=True)
            weights.dense(names[1], "fc2")
    weights.head("classifier.6", "head.fc")
