"""Python functions that a graph of another process finds by name."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.data import Preprocessing, Split, training_batches
from keras_convnets.data.calls import call, is_shared, shared
from keras_convnets.errors import InputError


def double(value):
    return value * 2


def test_a_function_answers_as_itself():
    numbers = tf.data.Dataset.range(3).map(lambda i: call(double, [i], tf.int64))
    assert list(numbers.as_numpy_iterator()) == [0, 2, 4]


def test_a_graph_calls_what_has_the_name_now():
    with shared("numbers", None):
        graph = tf.data.Dataset.range(3).map(lambda i: call(double, [i], tf.int64))
    with pytest.raises(tf.errors.OpError, match="Could not find callback"):
        list(graph)

    def offer(factor):
        def double(value):
            return value * factor

        double.__qualname__ = "double"
        with shared("numbers", "this process"):
            tf.data.Dataset.range(3).map(lambda i: call(double, [i], tf.int64))

    offer(10)
    assert list(graph.as_numpy_iterator()) == [0, 10, 20]
    offer(100)
    assert list(graph.as_numpy_iterator()) == [0, 100, 200]


def test_a_message_says_whose_it_is():
    def fail(value):
        raise InputError("The image 'a.png' is bad.")

    with shared("failing", "worker 3"):
        numbers = tf.data.Dataset.range(3).map(lambda i: call(fail, [i], tf.int64))
    with pytest.raises(tf.errors.OpError, match="InputError: worker 3: The image 'a.png' is bad."):
        list(numbers)


def test_pipelines_outside_are_not_shared():
    with shared("outer", None):
        assert is_shared()
        with shared("inner", None):
            assert is_shared()
        assert is_shared()
    assert not is_shared()


def test_a_pipeline_is_that_of_the_process_that_offers_it(rng):
    def batches(images, who):
        with shared("images", who):
            return training_batches(
                Split(np.arange(len(images)) % 3, images=images),
                Preprocessing(4, 1, "raw", 1.0),
                (),
                2,
                classes=3,
                seed=1,
                epoch=0,
            )

    ours, theirs = (rng.integers(0, 256, (6, 4, 4, 1), np.uint8) for _ in range(2))
    graph = batches(ours, None)
    kept = batches(theirs, "worker 0")
    expected = [pixels for pixels, _ in kept.as_numpy_iterator()]
    assert np.array_equal([pixels for pixels, _ in graph.as_numpy_iterator()], expected)
    assert not np.array_equal(expected, ours.reshape(np.shape(expected)))


def test_files_are_read_where_the_graph_runs(tmp_path, rng):
    """The graph of one process, as bytes, gives in another the images that are there."""
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        import numpy as np, PIL.Image, tensorflow as tf
        from keras_convnets.data import Preprocessing, Split, training_batches
        from keras_convnets.data.calls import shared
        from keras_convnets.data.encoded import Files

        folder, shade, role = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
        folder.mkdir()
        for i in range(4):
            PIL.Image.new("RGB", (8, 8), (shade, i, 0)).save(folder / f"{i}.png")
        split = Split(np.arange(4), encoded=Files(sorted(folder.iterdir())))
        with shared("files", None if role == "chief" else "worker 0"):
            batches = training_batches(
                split, Preprocessing(8, 3, "raw", 1.0), (), 4, classes=4, seed=0, epoch=0
            )
        graph = Path(sys.argv[4])
        if role == "chief":
            graph.write_bytes(tf.raw_ops.DatasetToGraphV2(
                input_dataset=batches._variant_tensor).numpy())
        else:
            batches = tf.data.experimental.from_variant(
                tf.raw_ops.DatasetFromGraph(graph_def=graph.read_bytes()), batches.element_spec
            )
            images, labels = next(iter(batches))
            print(sorted(set(images[..., 0].numpy().ravel())), sorted(images[:, 0, 0, 1].numpy()))
        """
    )
    graph = tmp_path / "graph"
    for role, shade in (("chief", 10), ("worker", 200)):
        arguments = [str(tmp_path / role), str(shade), role, str(graph)]
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.replace("np.uint8(", "").replace(")", "").strip() == "[200] [0, 1, 2, 3]"
