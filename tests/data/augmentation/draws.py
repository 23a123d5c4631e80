"""What the tests of random changes measure draws with."""

import numpy as np
import tensorflow as tf


def over_seeds(call, count):
    """What `call` makes of `count` seeds, one after the other in a graph."""
    seeds = tf.stack([tf.fill([count], 11), tf.range(count)], axis=1)
    signature = tf.type_spec_from_value(call(seeds[0]))
    return tf.function(lambda: tf.map_fn(call, seeds, fn_output_signature=signature))().numpy()


def is_drawn_like(sample, reference):
    """The two-sample test of Kolmogorov and Smirnov, at 0.1 %."""
    sample, reference = np.sort(sample), np.sort(reference)
    both = np.concatenate([sample, reference])
    shares = (np.searchsorted(s, both, "right") / len(s) for s in (sample, reference))
    distance = np.abs(np.subtract(*shares)).max()
    return distance < 1.95 * np.sqrt(1 / len(sample) + 1 / len(reference))


def is_uniform(sample, low, high):
    """The same, against a uniform distribution."""
    return is_drawn_like(sample, np.linspace(low, high, 100_000))


def are_independent(*samples):
    """No two of them are correlated, up to four deviations."""
    correlations = np.corrcoef(samples) - np.eye(len(samples))
    return np.abs(correlations).max() < 4 / np.sqrt(len(samples[0]))
