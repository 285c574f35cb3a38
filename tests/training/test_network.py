import keras
import numpy as np

from digits.training.network import (
    build_network,
    build_pooling_network,
    copy_for_training,
    join_columns,
    split_columns,
)

IMAGES = np.random.default_rng(3).random((64, 28, 28, 1), np.float32)


def test_the_logits_of_joined_columns_are_the_means_of_theirs():
    columns = _build_columns(seed=3)
    apart = [column.predict(IMAGES, verbose=0) for column in columns]
    together = join_columns(columns).predict(IMAGES, verbose=0)
    for answer, logits in enumerate(together):
        assert np.allclose(logits, np.mean([one[answer] for one in apart], axis=0), atol=1e-5)


def test_columns_that_were_split_off_a_joined_network_answer_as_before_they_were_joined():
    columns, split = _build_columns(seed=4), _build_columns(seed=5)
    before = [column.predict(IMAGES, verbose=0) for column in columns]
    split_columns(join_columns(columns), split)
    for column, answers in zip(split, before, strict=True):
        for logits, expected in zip(column.predict(IMAGES, verbose=0), answers, strict=True):
            assert np.allclose(logits, expected, atol=1e-5)


def test_a_copy_for_training_learns_what_the_network_would_and_answers_as_it_does():
    keras.utils.set_random_seed(5)
    network = build_network(0.25, dropout=0.0)
    rng = np.random.default_rng(5)
    targets = [rng.random((64, 10), np.float32), rng.random((64, 1), np.float32)]
    copy = copy_for_training(network)
    for model in (network, copy):
        model.compile("sgd", ["mse", "mse"], jit_compile=False)
        model.fit(IMAGES, targets, batch_size=32, epochs=3, shuffle=False, verbose=0)
    for weight, copied in zip(network.get_weights(), copy.get_weights(), strict=True):
        # Its moving variance is the unbiased estimate, Keras' the biased one.
        assert np.allclose(weight, copied, rtol=0.01, atol=1e-3)
    for logits, copied in zip(network.predict(IMAGES, verbose=0), copy.predict(IMAGES, verbose=0), strict=True):
        assert np.allclose(logits, copied, atol=0.01)


def _build_columns(seed: int) -> list[keras.Model]:
    keras.utils.set_random_seed(seed)
    return [build_network(0.25), build_pooling_network()]
