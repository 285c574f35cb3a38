"""Sources: what the user named becomes a stream of pictures, each with a stable key.

A source is a picture, a folder, a glob, a zip or tar archive, a manifest (.txt: a path a line; .csv: a column named as
in COLUMNS), or "-" for standard input (one picture, or a path a line). Each may be a local path or a URL that fsspec
opens (s3://, gs://, https://, ...).

Every source gives at least one entry: one that holds no picture gives an entry with an error.
"""

from __future__ import annotations

import bz2
import csv
import glob
import gzip
import io
import lzma
import os
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any

from digits.errors import PictureError, shown
from digits.files import open_regular
from digits.formats import ENDINGS, MOST_BYTES, check_bytes
from digits.pages import MOST_PAGES, SEVERAL, count_pages

PICTURES = tuple(sorted(ENDINGS))
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MANIFESTS = (".txt", ".csv")
COLUMNS = ("picture", "file", "file_name", "path")
UNPACKED = 100  # times its own size that an archive may hold, beyond
ALLOWANCE = 100_000_000  # bytes
LONGEST_LINE = 10_000  # characters of a manifest: a longer one is no path
PACKERS: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
"""Who unpacks a tar archive, by how it begins."""

DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises on archives that are damaged, encrypted or packed in a way it does not know."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture of a source.

    key: how the picture is called in the results: the path as named, `archive/member`, or the manifest's own words;
        of a page `file#2`.
    place: path or URL of the picture, or of the archive that holds it.
    member: its number among the pictures of the archive, from 0; None outside archives.
    error: why there is nothing to read; None otherwise.
    page: its number in a file of several pages, from 1; None of all others.
    """

    key: str
    place: str
    member: int | None = None
    error: str | None = None
    page: int | None = None

    @property
    def file_key(self) -> str:
        """The key of the file whose page this is."""
        return self.key if self.page is None else self.key.removesuffix(f"#{self.page}")


def find_pictures(source: str) -> Iterator[Entry]:
    """The pictures of one source: of folders and globs in no particular order, of all others in their own order."""
    found = False
    for entry in _expand(source):
        found = True
        if entry.member is None and entry.place != "-":
            yield from _paged(entry, entry.place, partial(read_place, entry.place))
        else:
            yield entry
    if not found:
        yield Entry(source, source, error=f"No picture found. Expected files ending in {', '.join(PICTURES)}.")


def _paged(entry: Entry, name: str, read: Callable[[], bytes]) -> Iterator[Entry]:
    """The entry, or an entry for each page where there are several. name, read: of the file."""
    pages = _count(read) if entry.error is None and name.lower().endswith(SEVERAL) else 1
    if pages == 1:
        yield entry
        return
    for page in range(1, min(pages, MOST_PAGES) + 1):
        yield replace(entry, key=f"{entry.key}#{page}", page=page)
    if pages > MOST_PAGES:
        yield replace(entry, error=f"It has more than {MOST_PAGES:,} pages, which are not read. Split it.")


def _count(read: Callable[[], bytes]) -> int:
    """How many pages there are; 1 if that cannot be told: who reads it says why."""
    try:
        return max(1, count_pages(read()))
    except (PictureError, *DAMAGED):
        return 1


def read_place(place: str) -> bytes:
    """The content of a path or URL that may hold a picture. Raises PictureError, OSError, ValueError."""
    with open_place(place) as file:
        data = file.read(MOST_BYTES + 1)
    check_bytes(len(data))
    return data


def is_sorted(source: str) -> bool:
    """Whether the entries of a source have an order of their own: those of an archive, a manifest or a pipe."""
    return source == "-" or source.lower().endswith((".zip", *TARS, *MANIFESTS))


def _expand(source: str) -> Iterator[Entry]:
    if source == "-":
        return _standard_input()
    if os.path.isdir(source):  # noqa: PTH112 (of what is no path, Path raises)
        return _folder(source)
    if source.lower().endswith((".zip", *TARS)):
        return _archive(source)
    if source.lower().endswith(MANIFESTS):
        return _manifest(source)
    if "://" in source:
        return _remote(source)
    if glob.has_magic(source) and not os.path.exists(source):  # noqa: PTH110
        paths = glob.iglob(source, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
        return (Entry(path, path) for path in paths if Path(path).is_file())
    return iter([Entry(source, source)])


def _is_picture(name: str) -> bool:
    return name.lower().endswith(PICTURES) and not name.replace("\\", "/").rsplit("/", 1)[-1].startswith(".")


def _folder(folder: str) -> Iterator[Entry]:
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as children:
                for child in children:
                    if child.is_dir(follow_symlinks=False):
                        waiting.append(child.path)
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
    except (OSError, ValueError, PictureError, csv.Error) as error:
        yield Entry(place, place, error=f"The manifest cannot be read: {shown(str(error))}.")


def _lines(text: IO[str]) -> Iterator[str]:
    return (line.rstrip("\r\n") for line in _short_lines(text) if line.strip())


def _short_lines(text: IO[str]) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise PictureError(f"a line has more than {LONGEST_LINE:,} characters. Expected a path a line")
        yield line


def _column(text: IO[str]) -> Iterator[str]:
    rows = csv.DictReader(_short_lines(text))
    received = rows.fieldnames or []
    column = next((name for name in COLUMNS if name in received), None)
    if column is None:
        raise PictureError(f"expected a column named one of {', '.join(COLUMNS)}. Received: {', '.join(received)}")
    return (row[column] for row in rows if row[column])


def _standard_input() -> Iterator[Entry]:
    stream = sys.stdin.buffer
    assert isinstance(stream, io.BufferedReader)
    try:
        if _is_text(stream.peek(1024)[:1024]):
            text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape")
            yield from (Entry(name, name) for name in _lines(text))
        else:
            yield Entry("-", "-")
    except (OSError, PictureError) as error:
        yield Entry("-", "-", error=f"Standard input cannot be read: {shown(str(error))}.")


def _is_text(head: bytes) -> bool:
    """Whether these are paths: a picture has a zero byte within its header, a path has none; a PDF says what it is."""
    return b"\0" not in head and not head.lstrip().startswith(b"%PDF-")


def _archive(place: str) -> Iterator[Entry]:
    try:
        members = _zip_members(place) if place.lower().endswith(".zip") else _tar_members(place)
        for number, (name, read) in enumerate(members):
            yield from _paged(Entry(f"{place}/{name}", place, number), name, read)
    except DAMAGED as error:
        yield Entry(place, place, error=f"The archive cannot be read (to its end): {shown(str(error))}.")


def _zip_members(place: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Name of each picture, and what reads it before the next is asked for."""
    with open_place(place) as file, zipfile.ZipFile(file) as archive:
        most = UNPACKED * file.seek(0, os.SEEK_END) + ALLOWANCE
        for info in _zip_pictures(archive):
            most -= info.file_size
            if most < 0:
                raise OSError(_BOMB)
            yield info.filename, partial(_read_zipped, archive, info)


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    check_bytes(info.file_size)
    return archive.read(info)


def _zip_pictures(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    return (info for info in archive.infolist() if not info.is_dir() and _is_picture(info.filename))


def _tar_members(place: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    with _open_tar(place) as tar:
        for info in _tar_pictures(tar):
            yield info.name, partial(_read_tarred, tar, info)


def _read_tarred(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    check_bytes(info.size)
    file = tar.extractfile(info)
    assert file is not None  # only of folders and devices
    return file.read()


def _tar_pictures(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (info := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # else the memory grows with the archive
        if info.isfile() and _is_picture(info.name):
            yield info
    assert isinstance(tar.fileobj, _Unpacked)
    if not tar.fileobj.closed_properly:
        raise tarfile.ReadError("it is cut short: the two empty blocks that close an archive are missing")


def _open_tar(place: str) -> tarfile.TarFile:
    """A tar archive, packed or not, to be read from its beginning to its end."""
    file = open_place(place)
    head = file.read(8)
    file.seek(0)
    counted = _Counted(file)
    unpack = next((packer for start, packer in PACKERS.items() if head.startswith(start)), None)
    stream = counted if unpack is None else unpack(counted)
    return tarfile.TarFile(fileobj=_Unpacked(stream, counted))  # type: ignore[arg-type]  # needs but read, seek, tell


class _Counted(io.RawIOBase):
    """A file that knows how much of it was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)

    def close(self) -> None:
        self.file.close()
        super().close()


class _Unpacked:
    """The content of a tar archive, read forward, and no more of it than its packed size allows.

    closed_properly: the last block that was read has no content, as the last two of every whole archive have.
    """

    def __init__(self, stream: Any, packed: _Counted) -> None:
        self.stream = io.BufferedReader(stream) if isinstance(stream, _Counted) else stream
        self.packed = packed
        self.place = 0
        self.closed_properly = False

    def read(self, size: int) -> bytes:
        if size > MOST_BYTES + tarfile.BLOCKSIZE:
            raise OSError(f"a part of it claims {size:,} bytes. Expected at most {MOST_BYTES:,}")
        data: bytes = self.stream.read(size)
        self._advance(len(data))
        self.closed_properly = not data.strip(b"\0") and len(data) == tarfile.BLOCKSIZE
        return data

    def seek(self, place: int) -> None:
        while self.place < place and (skipped := self.stream.read(min(place - self.place, 1_000_000))):
            self._advance(len(skipped))

    def tell(self) -> int:
        return self.place

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.stream.close()
        self.packed.close()

    def _advance(self, count: int) -> None:
        self.place += count
        if self.place > UNPACKED * self.packed.count + ALLOWANCE:
            raise OSError(_BOMB)


_BOMB = f"it unpacks to more than {UNPACKED} times its size, as pictures do not. Unpack it, if you trust it"


def open_place(place: str) -> IO[bytes]:
    """Open a path or URL for reading bytes. Raises OSError, ValueError."""
    if "://" not in place:
        return open_regular(place)
    import fsspec

    try:
        file: IO[bytes] = fsspec.open(place, "rb").open()
    except Exception as error:  # every file system of fsspec raises its own
        raise OSError(f"{shown(place)} cannot be opened: {shown(str(error))}") from error
    return file


def text_key(name: str) -> str:
    """A key as text, whatever bytes a file's name is made of."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def open_archive(place: str) -> Callable[[int, str], bytes]:
    """A function that reads the file with a given number and text_key; no number may be lower than the one before.

    Raises PictureError, the function too.
    """
    try:
        unpack = _zip_reader(place) if place.lower().endswith(".zip") else _tar_reader(place)
    except DAMAGED as error:
        raise PictureError(f"The archive cannot be read: {shown(str(error))}.") from error

    read = lru_cache(maxsize=1)(unpack)  # a file of many pages is asked for many times

    def read_member(number: int, key: str) -> bytes:
        try:
            name, content = read(number)
        except DAMAGED as error:
            raise PictureError(f"The archive's member cannot be read: {shown(str(error))}.") from error
        if text_key(f"{place}/{name}") != key:
            raise PictureError(_CHANGED)
        return content

    return read_member


_CHANGED = "The archive has changed since it was listed. Delete the journal (.partial) to start anew."


def _zip_reader(place: str) -> Callable[[int], tuple[str, bytes]]:
    archive = zipfile.ZipFile(open_place(place))
    members = list(_zip_pictures(archive))

    def read(number: int) -> tuple[str, bytes]:
        if number >= len(members):
            raise PictureError(_CHANGED)
        return members[number].filename, _read_zipped(archive, members[number])

    return read


def _tar_reader(place: str) -> Callable[[int], tuple[str, bytes]]:
    tar = _open_tar(place)
    members = enumerate(_tar_pictures(tar))

    def read(number: int) -> tuple[str, bytes]:
        info = next((info for position, info in members if position == number), None)
        if info is None:
            raise PictureError(_CHANGED)
        return info.name, _read_tarred(tar, info)

    return read
