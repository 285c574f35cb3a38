"""Files that are written whole or not at all, by one program at a time, and known by their digest."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

PATIENCE = 30.0  # seconds that one program waits for another before it gives up


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Keep every other thread and process that asks for the same folder waiting; a killed one lets go.

    Makes the folder if there is none. Raises OSError (TimeoutError after PATIENCE seconds).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock", timeout=PATIENCE, poll_interval=0.005):
        yield


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path`: whoever reads finds the old file or the new one, also after a kill or a power cut.

    Two writers of one path must take turns (sole_writer). Raises OSError, for instance when the disk is full.
    """
    aside = path.with_name(f".{path.name}.tmp")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a regular file for reading: who opens a pipe may wait for ever, and a device may have no end.

    Raises OSError, and ValueError if that is no path.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    file = open(path, "rb", opener=opener)  # noqa: SIM115 (Path takes no opener; the caller closes it)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError("it is no file but a pipe, a socket or a device")
    return file


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """The content of a regular file of at most so many bytes.

    Raises OSError, and ValueError if that is no path.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(size + 1) if size <= most else b""  # for `most` bytes, memory would be asked for in vain
        if len(data) > size:  # it has grown, or is one of a system that tells no sizes
            data += file.read(most - size)
    if max(size, len(data)) > most:
        raise OSError(f"it has {max(size, len(data)):,} bytes, and at most {most:,} are read")
    return data


def digest(file: Path) -> str:
    """The file's SHA-256 in hexadecimal digits. Raises OSError."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` outlast a power cut, where the system can (not on Windows)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
