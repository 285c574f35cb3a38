import gzip
import io

import numpy as np
import pytest

from digits.errors import DataError
from digits.training import data
from digits.training.data import DIGESTS, cache_folder, load_mnist


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mnist"


@pytest.fixture
def idx_files(mnist):
    return {name: (cache_folder() / name).read_bytes() for name in DIGESTS}


def test_load_mnist_splits_the_training_pictures_into_three_disjoint_parts(mnist):
    parts = (mnist.train, mnist.validation, mnist.calibration)
    assert [len(part) for part in parts] == [57_000, 2_000, 1_000]
    pictures = {image.tobytes() for part in parts for image in part.images}
    assert len(pictures) == 60_000  # MNIST's training pictures are all different
    assert len(mnist.test) == 10_000


def test_load_mnist_gives_the_same_splits_every_time(mnist):
    assert np.array_equal(load_mnist().validation.images, mnist.validation.images)


def test_load_mnist_reads_a_folder_of_gzipped_files(idx_files, tmp_path, mnist):
    for name, payload in idx_files.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(payload, 1))
    assert np.array_equal(load_mnist(tmp_path).test.labels, mnist.test.labels)


def test_load_mnist_refuses_a_file_with_one_changed_pixel(idx_files, tmp_path):
    for name, payload in idx_files.items():
        (tmp_path / name).write_bytes(payload)
    damaged = bytearray(idx_files["t10k-images-idx3-ubyte"])
    damaged[5000] ^= 1
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(damaged)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte .* is not MNIST's"):
        load_mnist(tmp_path)


def test_load_mnist_takes_the_next_source_when_one_serves_something_else(idx_files, empty_cache, monkeypatch):
    wrong = {**idx_files, "train-labels-idx1-ubyte": b"not labels"}
    monkeypatch.setattr(data, "SOURCES", {"liar": lambda: wrong, "honest": lambda: idx_files})
    assert len(load_mnist().train) == 57_000
    assert sorted(file.name for file in empty_cache.iterdir()) == sorted(DIGESTS)


def test_load_mnist_never_caches_what_is_not_mnist_and_says_what_was_tried(idx_files, empty_cache, monkeypatch):
    def unreachable():
        raise OSError("network is unreachable")

    wrong = {**idx_files, "train-labels-idx1-ubyte": b"not labels"}
    monkeypatch.setattr(data, "SOURCES", {"liar": lambda: wrong, "far host": unreachable})
    with pytest.raises(DataError) as error:
        load_mnist()
    assert "liar: train-labels-idx1-ubyte" in str(error.value)
    assert "far host: network is unreachable" in str(error.value)
    assert "--data FOLDER" in str(error.value)
    assert not empty_cache.exists()


def test_load_mnist_leaves_no_half_file_in_the_cache_when_interrupted(idx_files, empty_cache, monkeypatch):
    def interrupt(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "SOURCES", {"host": lambda: idx_files})
    monkeypatch.setattr(data.Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_mnist()
    assert not any((empty_cache / name).exists() for name in DIGESTS)


def test_keras_archive_holds_the_same_bytes_as_the_idx_files(mnist, idx_files, monkeypatch):
    archive = io.BytesIO()
    np.savez(
        archive,
        x_train=data._parse_images(idx_files["train-images-idx3-ubyte"]),
        y_train=data._parse_labels(idx_files["train-labels-idx1-ubyte"]),
        x_test=mnist.test.images,
        y_test=mnist.test.labels,
    )
    monkeypatch.setattr(data, "_download", lambda url: archive.getvalue())
    assert data._fetch_keras() == idx_files
