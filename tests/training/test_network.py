import keras
import numpy as np

from digits.training.network import build_network, build_pooling_network, join_columns, split_columns


def test_the_logits_of_joined_columns_are_the_means_of_theirs():
    keras.utils.set_random_seed(3)
    columns = [build_network(0.25), build_pooling_network()]
    images = np.random.default_rng(3).random((5, 28, 28, 1), np.float32)
    apart = [column.predict(images, verbose=0) for column in columns]
    together = join_columns(columns).predict(images, verbose=0)
    for answer, logits in enumerate(together):
        assert np.allclose(logits, np.mean([one[answer] for one in apart], axis=0), atol=1e-5)


def test_columns_that_were_split_off_a_joined_network_answer_as_before_they_were_joined():
    keras.utils.set_random_seed(4)
    columns = [build_network(0.25), build_pooling_network()]
    images = np.random.default_rng(4).random((5, 28, 28, 1), np.float32)
    before = [column.predict(images, verbose=0) for column in columns]
    split = [build_network(0.25), build_pooling_network()]
    split_columns(join_columns(columns), split)
    for column, answers in zip(split, before, strict=True):
        for logits, expected in zip(column.predict(images, verbose=0), answers, strict=True):
            assert np.allclose(logits, expected, atol=1e-5)
