"""Lists of images in CSV files."""

import numpy as np
import pytest

from keras_convnets.data.csv_file import load_csv
from keras_convnets.errors import InputError


@pytest.fixture
def write(tmp_path):
    """A function that writes a CSV file beside some files, and returns its path."""
    tmp_path.joinpath("b, c").mkdir()
    for name in ("a.jpg", "b, c/1.jpg", "d.jpg", "é.jpg"):
        tmp_path.joinpath(name).touch()

    def apply(content):
        path = tmp_path / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return apply


@pytest.mark.parametrize("header", ["", "path,label\n", "Filename, Class\n", "\ufeff"])
def test_a_line_is_a_path_and_a_label(write, header):
    path = write(header + 'a.jpg,red\n"b, c/1.jpg", "blue"\r\n\né.jpg,red\n')
    images = load_csv(path)
    assert images.classes == ("blue", "red")
    assert not images.is_multi_label
    assert list(images.splits) == ["train"]
    train = images.splits["train"]
    assert train.files == tuple(path.parent / name for name in ("a.jpg", "b, c/1.jpg", "é.jpg"))
    assert train.labels.dtype == np.int64
    assert list(train.labels) == [1, 0, 1]


def test_paths_may_be_absolute(write, tmp_path):
    images = load_csv(write(f"{tmp_path / 'a.jpg'},x\nd.jpg,y\n"))
    assert images.splits["train"].files == (tmp_path / "a.jpg", tmp_path / "d.jpg")


def test_a_file_called_like_a_header_is_no_header(write, tmp_path):
    tmp_path.joinpath("image").touch()
    assert len(load_csv(write("image,cat\na.jpg,dog\n")).splits["train"].files) == 2


def test_one_line_of_several_labels_makes_the_set_multi_label(write):
    images = load_csv(write("a.jpg,tree; sky;tree\nd.jpg,sky\n"))
    assert images.classes == ("sky", "tree")
    assert images.is_multi_label
    assert [list(labels) for labels in images.splits["train"].labels] == [[0, 1], [0]]


def test_the_third_column_is_the_split(write):
    content = "path,label,split\na.jpg,x,train\nd.jpg,y,Training\né.jpg,y,val\nb, c/1.jpg,x,test\n"
    images = load_csv(write(content.replace("b, c/1.jpg", '"b, c/1.jpg"')))
    assert {name: len(part.files) for name, part in images.splits.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }
    assert list(images.splits["validation"].labels) == [1]


def test_a_line_that_comes_twice_counts_once(write):
    images = load_csv(write("a.jpg,x\n./a.jpg,x\nd.jpg,y\n"))
    assert list(images.splits["train"].labels) == [0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "lists no images"),
        ("path,label\n\n", "lists no images"),
        ("a.jpg,x\nd.jpg\n", "Line 2 of .*list.csv' should have a path, a label .*: 'd.jpg'"),
        ("a.jpg,x,train,y\n", "Line 1 of .*list.csv' should have a path, a label"),
        ("a.jpg,x\n,y\n", "Line 2 of .*list.csv' has no path"),
        ("a.jpg,x\nd.jpg, \n", "Line 2 of .*list.csv' has an empty label"),
        ("a.jpg,x;;y\n", "Line 1 of .*list.csv' has an empty label"),
        ("a.jpg,x,dev\n", "The split of Line 1 .* train, validation or test. Received: 'dev'"),
        ("a.jpg,x,\n", "The split of Line 1 .* Received: ''"),
        ("a.jpg,x,val\nd.jpg,x,test\n", "images of validation and test, but none of train"),
        ("a.jpg,x\nd.jpg,x\na.jpg,y\n", "Line 3 .* 'a.jpg' other labels .* than line 1; .*'a;b'"),
        ("a.jpg,x,train\n./a.jpg,x,test\n", "Line 2 .* another split than line 1"),
        ('a.jpg,x\n"d.jpg,y\n', "Line 2 of .*list.csv' is no CSV: unexpected end of data"),
        (b"a.jpg,x\n" * 9000 + b"d\xff.jpg,y\n", "Line 9001 of .*list.csv' should be UTF-8"),
        ("a\0.jpg,x\n", "list.csv'"),
        (
            "1.jpg,x\na.jpg,x\n2.jpg,x\n",
            r"Of the 3 .* 2 are not there: '1.jpg' \(line 1\), '2.jpg'",
        ),
        ("".join(f"{i}.jpg,x\n" for i in range(9)), r"9 are not .*'2.jpg' \(line 3\) and 6 more;"),
        ("x" * 5000 + ".jpg,y\n", "are not there"),
        ("a.jpg," + "x" * 200_000, "field larger than field limit"),
    ],
)
def test_faults_are_told_with_their_line(write, content, message):
    with pytest.raises(InputError, match=message):
        load_csv(write(content))


def test_a_missing_list_is_told(tmp_path):
    with pytest.raises(InputError, match="There is no CSV file at .*none.csv"):
        load_csv(tmp_path / "none.csv")
    with pytest.raises(InputError, match="can't be read: Is a directory"):
        load_csv(tmp_path)
