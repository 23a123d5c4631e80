"""Which output of a model means which class of the data, by names alone."""

import numpy as np
import pytest

from keras_convnets.errors import InputError
from keras_convnets.evaluation.classes import ClassNames, align, read_classes
from keras_convnets.imagenet_utils import class_names

IDS, LEMMAS = map(list, zip(*class_names(), strict=True))


def aligned(model, data, restriction=None, *others):
    models = [("m", model), *((f"other{i}", names) for i, names in enumerate(others))]
    return align(models, "data", data, restriction)


def test_equal_classes_stay_as_they_are():
    found = aligned(["a", "b"], ["a", "b"])
    assert found.names == ("a", "b")
    assert found.labels.tolist() == [0, 1]
    assert found.columns == (None,)


def test_another_order_is_found_by_name():
    assert aligned(["b", "c", "a"], ["a", "b", "c"]).labels.tolist() == [2, 0, 1]


def test_the_data_may_have_fewer_classes():
    """papers.md 12c: the 5K-way test on the 1K validation set."""
    found = aligned(["a", "b", "c", "d"], ["b", "d"])
    assert (found.names, found.labels.tolist()) == (("a", "b", "c", "d"), [1, 3])


@pytest.mark.parametrize("model", [IDS, LEMMAS], ids=["ids", "names"])
def test_imagenets_classes_are_known_by_name_and_by_wordnet_id(model):
    for data in (sorted(IDS), ["n01440764", "n02012849"], ["tench", "goldfish"]):
        lookup = IDS if data[0].startswith("n0") else LEMMAS
        assert aligned(model, data).labels.tolist() == [lookup.index(name) for name in data]


def test_a_name_of_two_classes_of_imagenet_is_refused():
    assert LEMMAS.count("crane") == 2
    with pytest.raises(InputError, match="stand for two classes.*WordNet ids. Received: crane"):
        aligned(LEMMAS, ["crane", "tench"])


def test_other_nets_know_no_wordnet_ids():
    with pytest.raises(InputError, match="have other classes"):
        aligned(["tench", "goldfish"], ["n01440764", "n01443537"])


def test_a_class_by_two_names_is_refused():
    with pytest.raises(InputError, match="has a class twice: tench"):
        aligned(LEMMAS, ["tench", "n01440764"])


def test_other_classes_are_refused():
    with pytest.raises(InputError, match="has 3 classes, and the data 'data' has 2"):
        aligned(["a", "b", "c"], ["a", "d"])
    with pytest.raises(InputError, match="have other classes: the model's first are a, b"):
        aligned(["a", "b"], ["a", "c"])


def test_models_together_have_the_same_classes_in_any_order():
    found = aligned(["a", "b", "c"], ["a", "b", "c"], None, ["c", "a", "b"], ["a", "b", "c"])
    assert found.columns[0] is None
    assert found.columns[2] is None
    assert found.columns[1].tolist() == [1, 2, 0]
    assert aligned(LEMMAS, ["tench", "goldfish"], None, IDS).columns == (None, None)
    with pytest.raises(InputError, match="should have the same classes.*other0' with 3"):
        aligned(["a", "b"], ["a", "b"], None, ["a", "b", "c"])


@pytest.fixture
def restriction(tmp_path):
    """A function that writes a file of classes."""

    def write(*lines):
        path = tmp_path / "classes.txt"
        path.write_text("\n".join(lines))
        return path

    return write


def test_restricted_classes_come_in_the_order_of_the_file(restriction):
    path = restriction("d", "  a ", "", "b", "")
    found = aligned(["a", "b", "c", "d"], ["a", "b"], path, ["b", "d", "x", "a"])
    assert found.names == ("d", "a", "b")
    assert found.labels.tolist() == [1, 2]
    assert [columns.tolist() for columns in found.columns] == [[3, 0, 1], [1, 3, 0]]


def test_restricted_classes_may_be_wordnet_ids(restriction):
    path = restriction("n01443537", "tench")
    found = aligned(LEMMAS, ["n01440764"], path)
    assert (found.names, found.labels.tolist()) == (("goldfish", "tench"), [1])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("a", "x"), "has classes that the model 'm' lacks: x. The first of its 3 classes"),
        (("a",), "two classes at least, one a line. Received: 1"),
        (("a", "b", "a"), "has a class twice: a"),
        (("a", "b"), "leaves out classes of the data 'data': c"),
    ],
)
def test_restrictions_that_do_not_fit_are_refused(restriction, lines, message):
    with pytest.raises(InputError, match=message):
        aligned(["a", "b", "c"], ["a", "c"], restriction(*lines))


def test_a_file_of_classes_that_can_not_be_read_is_named(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81")
    for name in ("none.txt", "binary"):
        with pytest.raises(InputError, match=f"{name}' can't be read"):
            read_classes(tmp_path / name)


def test_many_unknown_names_are_counted():
    names = ClassNames(["a", "b"], "the model")
    with pytest.raises(InputError, match="lacks: u, v, w and 2 others"):
        names.find(list("uvwxy"), "The file")
    np.testing.assert_array_equal(names.find(["b"], "The file"), [1])
