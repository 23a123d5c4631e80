"""Work for whichever worker is free: some steps at a time, and not much ahead."""

import queue
import re
import threading
from collections.abc import Callable, Iterator

import tensorflow as tf

from keras_convnets.errors import StoppedError, UnreadableError
from keras_convnets.training.parameter_server.steps import Done

# Steps of one request: a request takes some milliseconds beside them.
STEPS_AT_ONCE = 20
# Requests for each worker, so that none waits for the chief.
_AHEAD = 2
_LOOK_EVERY = 0.2  # seconds
# What a worker's own sentence looks like within TensorFlow's error.
_SENTENCE = re.compile(r"InputError: (worker \d+: .*)")


class Dispatcher:
    """Asks workers for steps.

    Args:
        coordinator: of the cluster.
        steps: what they run, see `make_steps`.
        iterators: of their images.
        workers: how many there are.
    """

    def __init__(
        self,
        coordinator: tf.distribute.coordinator.ClusterCoordinator,
        steps: Callable,
        iterators: tf.distribute.coordinator.PerWorkerValue,
        workers: int,
    ):
        self._coordinator = coordinator
        self._steps = steps
        self._iterators = iterators
        self._most = _AHEAD * workers
        self._answers: queue.SimpleQueue[tuple[int, Done | Exception]] = queue.SimpleQueue()
        self._asked = 0  # requests without an answer yet

    def run(self, count: int, is_enough: Callable[[], bool]) -> Iterator[tuple[int, Done | None]]:
        """Has some steps done, and gives what workers say of them as they come.

        Behind the last one no worker is at work.

        Args:
            count: of steps.
            is_enough: asked several times a second; if so, no further steps are asked for.

        Yields:
            How many steps a worker did, and what it says of them; `None` if it died then.

        Raises:
            StoppedError: if a parameter server is gone.
            UnreadableError: if a worker can't read an image.
        """
        left = count
        # Of few steps every worker has its share.
        most = min(STEPS_AT_ONCE, -(-count // self._most))
        while left or self._asked:
            while left and self._asked < self._most:
                at_once = min(left, most)
                self._ask(at_once)
                left -= at_once
            try:
                steps, answer = self._answers.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                pass
            else:
                if isinstance(answer, Exception):
                    self._check(answer)
                self._asked -= 1
                yield steps, None if isinstance(answer, Exception) else answer
            if is_enough():
                left = 0

    def _ask(self, count: int) -> None:
        try:
            remote = self._coordinator.schedule(
                self._steps, args=(self._iterators, tf.constant(count))
            )
        except Exception as error:  # of an earlier request, whatever it is
            raise _meaning(error) from error
        self._asked += 1
        # A daemon: a worker that never answers must not keep the process from its end.
        threading.Thread(target=self._listen, args=(count, remote), daemon=True).start()

    def _listen(self, count: int, remote: tf.distribute.coordinator.RemoteValue) -> None:
        try:
            self._answers.put((count, remote.fetch()))
        except Exception as error:
            self._answers.put((count, error))

    def _check(self, error: Exception) -> None:
        """Raises what the failure of a request means, unless its steps were done nevertheless."""
        try:
            self._coordinator.join()  # raises what came first: others were cancelled by it
        except Exception as first:
            raise _meaning(first) from first
        if not isinstance(error, tf.errors.UnavailableError | tf.errors.AbortedError):
            raise error


def _meaning(error: Exception) -> Exception:
    """Returns what an error of the cluster means for the run."""
    if isinstance(error, tf.errors.UnavailableError | tf.errors.AbortedError):
        return StoppedError(
            "A parameter server is gone, and what it held with it; restart it, and "
            "`train --resume` goes on from the last checkpoint."
        )
    sentence = _SENTENCE.search(str(error))
    return UnreadableError(sentence.group(1)) if sentence else error
