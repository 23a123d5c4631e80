"""Nets side by side."""

import keras
import pytest

import keras_convnets
from keras_convnets.analysis import compare
from keras_convnets.errors import InputError

NAMES = ["AlexNet", "ResNet18", "ResNet34", "ResNet50:v1.5", "NIN"]


@pytest.fixture(scope="module")
def figure():
    return compare(NAMES)


def test_circles_stand_at_accuracy_and_cost(figure):
    circles = figure.axes[0].collections
    points = sorted(tuple(point) for c in circles for point in c.get_offsets().tolist())
    assert points == [  # of NIN on CIFAR-10
        (pytest.approx(0.7244, rel=1e-3), 57.1),
        (pytest.approx(1.8141, rel=1e-3), 69.57),
        (pytest.approx(3.6638, rel=1e-3), 73.27),
        (pytest.approx(4.089, rel=1e-3), 76.13),
    ]
    sizes = {round(s) for c in circles for s in c.get_sizes()}
    assert sizes == {305, 58, 109, 128}  # parameters / 2e5


def test_bars_add_up_to_the_parameters(figure):
    bars = figure.axes[1].containers
    assert [bar.get_label() for bar in bars][-2:] == ["stride 32", "head"]
    total = [sum(bar.patches[i].get_width() for bar in bars) for i in range(len(NAMES))]
    expected = [60.965224, 11.689512, 21.797672, 25.557032, 0.966986]
    assert total == pytest.approx(expected)
    head = [patch.get_width() for patch in bars[-1].patches]
    assert head[1] == pytest.approx(0.513)  # 512 x 1000 and 1000
    assert [text.get_text() for text in figure.axes[1].get_yticklabels()] == NAMES


def test_labels_are_in_the_picture_and_apart(figure):
    figure.png()
    texts = figure.axes[0].texts
    assert sorted(text.get_text() for text in texts) == sorted(NAMES[:4])
    renderer = figure.canvas.get_renderer()
    boxes = [type(text).__mro__[1].get_window_extent(text, renderer) for text in texts]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_models_stand_among_the_bars_alone():
    model = keras_convnets.LeNet5(name="mine")
    figure = compare([model, "LeNet5:modern"])
    assert not figure.axes[0].collections
    assert figure.axes[0].texts[0].get_text() == "no reported accuracy"
    assert figure.axes[1].get_yticklabels()[0].get_text() == "mine"


@pytest.mark.parametrize("models", [[], "ResNet50", keras.Sequential(), 3, [3], {"ResNet50"}])
def test_models_come_in_a_list(models):
    with pytest.raises(InputError, match="`models` should be a list of names"):
        compare(models)


@pytest.mark.parametrize(
    "model",
    [keras.Sequential(name="raw"), keras.Sequential([keras.Input((None, None, 3))], name="raw")],
)
def test_models_have_a_fixed_size(model):
    with pytest.raises(InputError, match="built, for images of a fixed size. Received: 'raw'"):
        compare([model])


def test_nets_have_their_own_names_and_figures_that_fit_their_cost():
    figure = compare(["resnext50", "vgg16c", "resnet50:keras"])
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert labels == ["ResNeXt50", "VGG16C", "ResNet50"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["ResNeXt50", "ResNet50"]
