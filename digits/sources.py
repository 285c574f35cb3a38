"""Sources: what the user named becomes a stream of pictures, each with a stable key.

A source is a picture, a folder, a glob, a zip or tar archive, a manifest (.txt: a path a line; .csv: a column named as
in COLUMNS), or "-" for standard input (one picture, or a path a line). Each may be a local path or a URL that fsspec
opens (s3://, gs://, https://, ...).

Every source gives at least one entry: one that holds no picture gives an entry with an error.
"""

from __future__ import annotations

import csv
import glob
import io
import lzma
import os
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from digits.errors import PictureError
from digits.formats import FORMATS

PICTURES = tuple(sorted(ending for known in FORMATS.values() for ending in known.endings))
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MANIFESTS = (".txt", ".csv")
COLUMNS = ("picture", "file", "file_name", "path")
MEMBER_LIMIT = 100_000_000  # bytes; a larger member of an archive is no picture of digits

DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
)
"""What the standard library raises on archives that are damaged, encrypted or packed in a way it does not know."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture of a source.

    key: how the picture is called in the results: the path as named, `archive/member`, or the manifest's own words.
    place: path or URL of the picture, or of the archive that holds it.
    member: its number among the pictures of the archive, from 0; None outside archives.
    error: why there is nothing to read; None otherwise.
    """

    key: str
    place: str
    member: int | None = None
    error: str | None = None


def find_pictures(source: str) -> Iterator[Entry]:
    """The pictures of one source: of folders and globs in no particular order, of all others in their own order."""
    found = False
    for entry in _expand(source):
        found = True
        yield entry
    if not found:
        yield Entry(source, source, error=f"No picture found. Expected files ending in {', '.join(PICTURES)}.")


def is_sorted(source: str) -> bool:
    """Whether the entries of a source have an order of their own: those of an archive, a manifest or a pipe."""
    return source == "-" or source.lower().endswith((".zip", *TARS, *MANIFESTS))


def _expand(source: str) -> Iterator[Entry]:
    if source == "-":
        return _standard_input()
    if Path(source).is_dir():
        return _folder(source)
    if source.lower().endswith((".zip", *TARS)):
        return _archive(source)
    if source.lower().endswith(MANIFESTS):
        return _manifest(source)
    if "://" in source:
        return _remote(source)
    if glob.has_magic(source) and not Path(source).exists():
        paths = glob.iglob(source, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
        return (Entry(path, path) for path in paths if Path(path).is_file())
    return iter([Entry(source, source)])


def _is_picture(name: str) -> bool:
    return name.lower().endswith(PICTURES) and not name.replace("\\", "/").rsplit("/", 1)[-1].startswith(".")


def _folder(folder: str) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as children:
            for child in children:
                if child.is_dir(follow_symlinks=False):
                    yield from _folder(child.path)
                elif _is_picture(child.name):
                    yield Entry(child.path, child.path)
    except OSError as error:
        yield Entry(folder, folder, error=f"The folder cannot be read: {error.strerror}.")


def _remote(url: str) -> Iterator[Entry]:
    try:
        yield from _listed(url)
    except Exception as error:  # every file system of fsspec raises its own
        yield Entry(url, url, error=f"The pictures cannot be listed: {error}.")


def _listed(url: str) -> Iterator[Entry]:
    from fsspec.core import url_to_fs

    files, path = url_to_fs(url)
    if glob.has_magic(path):
        names = files.glob(path)
    elif files.isdir(path):
        names = (f"{folder}/{name}" for folder, _, names in files.walk(path) for name in names if _is_picture(name))
    else:
        names = [path]
    for name in names:
        place = files.unstrip_protocol(name)
        yield Entry(place, place)


def _manifest(place: str) -> Iterator[Entry]:
    folder = place.rpartition("/")[0] if "://" in place else str(Path(place).parent)
    try:
        with open_place(place) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape")
            names = _column(text) if place.lower().endswith(".csv") else _lines(text)
            for name in names:
                yield Entry(name, name if "://" in name else str(Path(folder, name)))
    except (OSError, PictureError, csv.Error) as error:
        yield Entry(place, place, error=f"The manifest cannot be read: {error}")


def _lines(text: IO[str]) -> Iterator[str]:
    return (line.rstrip("\r\n") for line in text if line.strip())


def _column(text: IO[str]) -> Iterator[str]:
    rows = csv.DictReader(text)
    received = rows.fieldnames or []
    column = next((name for name in COLUMNS if name in received), None)
    if column is None:
        raise PictureError(f"expected a column named one of {', '.join(COLUMNS)}. Received: {', '.join(received)}.")
    return (row[column] for row in rows if row[column])


def _standard_input() -> Iterator[Entry]:
    stream = sys.stdin.buffer
    assert isinstance(stream, io.BufferedReader)
    if _is_text(stream.peek(1024)[:1024]):
        text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape")
        yield from (Entry(name, name) for name in _lines(text))
    else:
        yield Entry("-", "-")


def _is_text(head: bytes) -> bool:
    """Whether these are paths: a picture has a zero byte within its header, a path has none."""
    return b"\0" not in head


def _archive(place: str) -> Iterator[Entry]:
    try:
        if place.lower().endswith(".zip"):
            with open_place(place) as file, zipfile.ZipFile(file) as archive:
                names = (info.filename for info in _zip_pictures(archive))
                yield from (Entry(f"{place}/{name}", place, number) for number, name in enumerate(names))
        else:
            with open_place(place) as file, tarfile.open(fileobj=file, mode="r|*") as tar:
                names = (info.name for info in _tar_pictures(tar))
                yield from (Entry(f"{place}/{name}", place, number) for number, name in enumerate(names))
    except DAMAGED as error:
        yield Entry(place, place, error=f"The archive cannot be read (to its end): {error}.")


def _zip_pictures(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    return (info for info in archive.infolist() if not info.is_dir() and _is_picture(info.filename))


def _tar_pictures(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (info := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # else the memory grows with the archive
        if info.isfile() and _is_picture(info.name):
            yield info


def open_place(place: str) -> IO[bytes]:
    """Open a path or URL for reading bytes. Raises OSError."""
    if "://" not in place:
        return Path(place).open("rb")
    import fsspec

    try:
        file: IO[bytes] = fsspec.open(place, "rb").open()
    except Exception as error:  # every file system of fsspec raises its own
        raise OSError(f"{place} cannot be opened: {error}") from error
    return file


def open_archive(place: str) -> Callable[[int], bytes]:
    """A function that reads the picture with a given number; numbers must be asked for in rising order.

    Raises PictureError, the function too.
    """
    read = _zip_reader(place) if place.lower().endswith(".zip") else _tar_reader(place)

    def read_member(number: int) -> bytes:
        try:
            return read(number)
        except DAMAGED as error:
            raise PictureError(f"The archive's member cannot be read: {error}.") from error

    return read_member


def _zip_reader(place: str) -> Callable[[int], bytes]:
    archive = zipfile.ZipFile(open_place(place))
    members = list(_zip_pictures(archive))

    def read(number: int) -> bytes:
        _check_size(members[number].file_size)
        return archive.read(members[number])

    return read


def _tar_reader(place: str) -> Callable[[int], bytes]:
    tar = tarfile.open(fileobj=open_place(place), mode="r|*")  # noqa: SIM115 (open until the last member is read)
    members = enumerate(_tar_pictures(tar))

    def read(number: int) -> bytes:
        info = next((info for position, info in members if position == number), None)
        if info is None:
            raise PictureError("The archive has changed since it was listed.")
        _check_size(info.size)
        file = tar.extractfile(info)
        assert file is not None  # only of folders and devices
        return file.read()

    return read


def _check_size(size: int) -> None:
    if size > MEMBER_LIMIT:
        raise PictureError(f"The picture has {size:,} bytes. Expected at most {MEMBER_LIMIT:,}.")
