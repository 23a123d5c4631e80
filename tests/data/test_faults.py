"""Which images of a pipeline can't be read, and what takes their rows."""

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from keras_convnets.data import (
    Fault,
    Preprocessing,
    Split,
    evaluation_faults,
    training_batches,
    training_faults,
)
from keras_convnets.data.augmentation import FlipLeftRight, InceptionCrop
from keras_convnets.data.encoded import Blobs, Files
from keras_convnets.data.order import shuffled
from keras_convnets.errors import InputError

RAW = Preprocessing(16, 3, "raw")


@pytest.fixture
def split(tmp_path, rng):
    """Ten JPEG files."""
    paths = [tmp_path / f"{i}.jpg" for i in range(10)]
    for path in paths:
        PIL.Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
    return Split(np.arange(10), encoded=Files(paths))


def blobs(count):
    return Split(np.arange(count), encoded=Blobs([b""] * count, [f"n{i}" for i in range(count)]))


def in_half(content):
    return content[: len(content) // 2]


def without_tables(content):
    """Seems whole, and is TensorFlow's to decode, not Pillow's."""
    begin = content.index(b"\xff\xc4") + 4
    return content[:begin] + bytes(30) + content[begin + 30 :]


def spoil(split, row, how=in_half):
    path = split.encoded.paths[row]
    path.write_bytes(how(path.read_bytes()))
    return str(path)


@pytest.mark.parametrize("how", [in_half, without_tables])
def test_all_bad_images_of_a_batch_are_found_and_none_of_others(split, how):
    order = next(shuffled(10, 7, 2))
    bad = {spoil(split, row, how) for row in order[[4, 7]]}
    spoil(split, order[8], how)  # of the third batch
    faults = training_faults(
        split, RAW, (InceptionCrop(), FlipLeftRight()), 4, seed=7, epoch=2, step=1
    )
    assert {fault.file for fault in faults} == bad
    for fault in faults:
        assert f"The image file {fault.file!r} can't be decoded: " in fault.reason
        assert "{{" not in fault.reason


def test_all_bad_images_of_an_evaluation_are_found(split):
    bad = [spoil(split, row) for row in (0, 9)]
    assert [fault.file for fault in evaluation_faults(split, RAW)] == bad


def test_a_record_that_can_not_be_read_fails_its_own_batch_alone(split):
    """Contents are read many at once, ahead of the batch that they are in."""
    order = next(shuffled(10, 7, 2))
    split.encoded.paths[order[5]].unlink()
    batches = iter(training_batches(split, RAW, (), 2, classes=10, seed=7, epoch=2))
    assert [next(batches)[1].numpy().tolist() for _ in range(2)] == order[:4].reshape(2, 2).tolist()
    with pytest.raises(tf.errors.OpError, match="There is no image file"):
        next(batches)


def test_a_file_that_is_gone_is_an_error_and_no_bad_image(split):
    split.encoded.paths[3].unlink()
    with pytest.raises(InputError, match="There is no image file"):
        evaluation_faults(split, RAW)


def test_the_next_good_image_takes_the_row_of_a_bad_one():
    faults = [Fault("n1", ""), Fault("n2", ""), Fault("n5", "")]
    taken = blobs(6).substituting(faults, others=[Fault("n3", "")])
    assert list(taken.names) == ["n0", "n4", "n4", "n3", "n4", "n0"]
    assert taken.labels.tolist() == [0, 4, 4, 3, 4, 0]


def test_faults_found_one_by_one_lead_to_the_same_rows():
    faults = [Fault(f"n{i}", "") for i in (4, 1, 2, 5)]
    split = blobs(6)
    for fault in faults:
        split = split.substituting([fault])
    assert list(split.names) == list(blobs(6).substituting(faults).names)


def test_where_no_image_is_good_there_is_no_substitute():
    with pytest.raises(InputError, match="None of the 2 images can be read"):
        blobs(2).substituting([Fault("n0", "")], [Fault("n1", "")])
