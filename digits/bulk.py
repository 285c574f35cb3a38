"""Bulk: any number of pictures in constant memory, on all cores or many machines, going on after a kill.

The pictures are listed in a Journal, a SQLite file beside the output, and cut into chunks of CHUNK in the order of
the list. Engines read chunks in any process or on any machine; the rows of each chunk are saved in the journal in one
transaction. When all chunks are there, the output is written from them and the journal is removed. So whatever is
killed loses at most the chunks under way, and the output depends on the list alone, not on cores, kills or machines.

Order of the rows: sources as named; within a folder or glob by path (code points), within an archive or manifest its
own.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import multiprocessing
import os
import re
import shutil
import signal
import socket
import sqlite3
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple, Self

import cv2
from PIL import Image

from digits.errors import DigitsError, PictureError, shown
from digits.fields import Field
from digits.formats import MOST_BYTES
from digits.pages import Page
from digits.recognition import Recognition
from digits.recognizer import Recognizer
from digits.rows import WRITERS, Row, as_row, write_parquet
from digits.sheets import as_tables
from digits.sources import Entry, find_pictures, is_sorted, open_archive, read_place, text_key
from digits.template import parse_template

CHUNK = 64  # pictures; few enough that a kill costs little, enough to keep the classifier's batches full
PART = 16_000_000  # bytes of pictures from archives, after which a chunk is read in parts
UNDER_WAY = 100_000_000  # bytes of such pictures that are under way at a time, or one part


@dataclass(frozen=True)
class Settings:
    """What the rows depend on, apart from the pictures.

    model: path of a model file, None for the one in use.
    single: the whole of each picture is one digit.
    top: how many labels of each digit to give.
    debug_images: folder for the 28x28 pictures that the network saw; None for none.
    tables: give each picture's tables, too; cells: with a picture of each cell that is to be checked.
    known: what is known of the tables' columns.
    template: the content of a template's file, whose fields each picture has; None for none.
    """

    model: str | None = None
    single: bool = False
    top: int = 3
    debug_images: str | None = None
    tables: bool = False
    cells: bool = False
    known: tuple[Field, ...] = ()
    template: str | None = None


class Task(NamedTuple):
    """One picture to read: its number in the list, its key, and a path, a URL, its bytes, or why it has none.

    page: its number in a file of several pages, from 1; None of all others.
    """

    number: int
    key: str
    picture: str | bytes | PictureError
    page: int | None = None


def read_chunk(tasks: list[Task], settings: Settings) -> str:
    """Read the pictures of one chunk. Returns their rows as JSON lines, in order."""
    lines = []
    for task, (picture, result) in zip(tasks, _results(tasks, settings), strict=True):
        row = as_row(task.key, result, settings.top)
        if settings.tables:
            row["tables"] = as_tables(result, settings.known, picture if settings.cells else None)
        lines.append(json.dumps(row))
        if settings.debug_images is not None:
            _save_images(Path(settings.debug_images), task, result)
    return "\n".join(lines)


def _results(tasks: list[Task], settings: Settings) -> Iterator[tuple[Any, Recognition]]:
    """Each task's picture, as the boxes of its result lie in it, and its result."""
    recognizer = _recognizer(settings.model)
    pictures = [_fetch(task) for task in tasks]
    if settings.template is not None:
        yield from (_read_form(recognizer, picture, settings.template) for picture in pictures)
        return
    results = recognizer.recognize_many(
        (picture for picture in pictures if not isinstance(picture, PictureError)), settings.single
    )
    for picture in pictures:
        yield picture, Recognition(error=str(picture)) if isinstance(picture, PictureError) else next(results)


def _read_form(recognizer: Recognizer, picture: Any, template: str) -> tuple[Any, Recognition]:
    try:
        if isinstance(picture, PictureError):
            raise picture
        return _template(template).read(recognizer, picture)
    except PictureError as error:
        return None, Recognition(error=str(error))


_template = functools.lru_cache(maxsize=1)(parse_template)


@functools.cache
def _recognizer(model: str | None) -> Recognizer:
    cv2.setNumThreads(1)  # one process a core is already all that the machine can do
    return Recognizer(model)


def _fetch(task: Task) -> str | bytes | Page | PictureError:
    """The picture, here."""
    picture = task.picture
    try:
        if isinstance(picture, str) and "://" in picture:
            picture = read_place(picture)
        return picture if task.page is None or isinstance(picture, PictureError) else Page(picture, task.page)
    except PictureError as error:
        return error
    except Exception as error:  # every file system of fsspec raises its own
        return PictureError(f"The picture cannot be fetched: {shown(str(error))}.")


def _save_images(folder: Path, task: Task, result: Recognition) -> None:
    name = re.sub(r"[^\w.-]+", "_", task.key)[-100:]
    for position, digit in enumerate(result.digits):
        Image.fromarray(digit.image).save(folder / f"{task.number:08d}_{name}_{position}_is_{digit.label}.png")


# The journal


class Journal:
    """The list of pictures and the rows that are done, in one SQLite file; `path` "" keeps it in a temporary one.

    Raises DigitsError if another process is at it, or if it belongs to other sources or settings.
    """

    def __init__(self, path: str | Path, sources: list[str], settings: Settings) -> None:
        self.path = path
        with self._usable():
            self._database = sqlite3.connect(path, isolation_level=None, timeout=0)
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._prepare(sources, json.dumps([sources, _fingerprint(settings)]))

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Say in plain words what SQLite says. Raises DigitsError."""
        try:
            yield
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorname.startswith("SQLITE_BUSY")
            advice = (
                "Is the same command already running?" if busy else "Expected a place to write to, with room on it."
            )
            raise DigitsError(f"{shown(self.path)} cannot be used: {error}. {advice}") from error
        except sqlite3.DatabaseError as error:
            raise DigitsError(f"{shown(self.path)} is no journal of an unfinished run ({error}). Delete it.") from error

    def _prepare(self, sources: list[str], run: str) -> None:
        execute = self._database.execute
        execute("BEGIN EXCLUSIVE")
        execute("CREATE TABLE IF NOT EXISTS run (settings TEXT)")
        known = execute("SELECT settings FROM run").fetchone()
        if known is None:
            self._list(sources)
            execute("CREATE TABLE chunks (number INTEGER PRIMARY KEY, rows TEXT)")
            execute("INSERT INTO run VALUES (?)", (run,))
        elif known[0] != run:
            raise DigitsError(
                f"{self.path} holds an unfinished run of another command. Delete it to start anew. "
                f"It belongs to: {known[0]}. This is: {run}."
            )
        execute("COMMIT")
        self.total: int = execute("SELECT count(*) FROM pictures").fetchone()[0]

    def _list(self, sources: list[str]) -> None:
        """List the pictures in their order; SQLite sorts on disk, so the memory does not grow with their number."""
        self._database.execute("CREATE TEMP TABLE found (source, position, key, place, member, error, page)")
        self._database.executemany("INSERT INTO found VALUES (?, ?, ?, ?, ?, ?, ?)", _records(sources))
        self._database.execute("CREATE TABLE pictures (number INTEGER PRIMARY KEY, key, place, member, error, page)")
        self._database.execute(
            "INSERT INTO pictures (key, place, member, error, page) "
            "SELECT key, place, member, error, page FROM found ORDER BY source, position, rowid"
        )
        self._database.execute("DROP TABLE found")

    @property
    def done(self) -> int:
        """How many pictures have their rows."""
        chunks: int = self._database.execute("SELECT count(*) FROM chunks").fetchone()[0]
        return min(chunks * CHUNK, self.total)

    def pending(self) -> Iterator[tuple[int, Iterator[Task]]]:
        """The chunks without rows, in order, each to be gone through before the next."""
        archive = functools.lru_cache(maxsize=1)(open_archive)
        for chunk in range(-(-self.total // CHUNK)):
            done = self._database.execute("SELECT 1 FROM chunks WHERE number = ?", (chunk,)).fetchone()
            if not done:
                yield chunk, (_task(number, entry, archive) for number, entry in self._entries(chunk))

    def _entries(self, chunk: int) -> list[tuple[int, Entry]]:
        query = (
            "SELECT number, key, place, member, error, page FROM pictures "
            "WHERE number > ? AND number <= ? ORDER BY number"
        )
        rows = self._database.execute(query, (chunk * CHUNK, (chunk + 1) * CHUNK))
        return [(number, Entry(key, os.fsdecode(place), *others)) for number, key, place, *others in rows]

    def save(self, chunk: int, rows: str) -> None:
        """Keep the rows of a chunk, all or none."""
        with self._usable():
            self._database.execute("INSERT INTO chunks VALUES (?, ?)", (chunk, rows))

    def rows(self) -> Iterator[Row]:
        """All rows that are done, in order."""
        with self._usable():
            for (rows,) in self._database.execute("SELECT rows FROM chunks ORDER BY number"):
                yield from map(json.loads, rows.splitlines())

    def remove(self) -> None:
        """Delete the file: the run is complete."""
        self._database.close()
        Path(self.path).unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()


def _fingerprint(settings: Settings) -> dict[str, str | bool | int | None]:
    form = None if settings.template is None else hashlib.sha256(settings.template.encode()).hexdigest()
    return asdict(settings) | {"template": form} | _recognizer(settings.model).networks


def _records(sources: list[str]) -> Iterator[tuple[int, str, str, bytes, int | None, str | None, int | None]]:
    for number, source in enumerate(sources):
        for entry in find_pictures(source):
            key = text_key(entry.key)
            position = "" if is_sorted(source) else text_key(entry.file_key)
            yield number, position, key, os.fsencode(entry.place), entry.member, entry.error, entry.page


def _task(number: int, entry: Entry, archive: Callable[[str], Callable[[int, str], bytes]]) -> Task:
    if entry.error is not None:
        return Task(number, entry.key, PictureError(entry.error))
    if entry.place == "-":
        return Task(number, entry.key, sys.stdin.buffer.read(MOST_BYTES + 1))
    if entry.member is None:
        return Task(number, entry.key, entry.place, entry.page)
    try:
        return Task(number, entry.key, archive(entry.place)(entry.member, entry.file_key), entry.page)
    except PictureError as error:
        return Task(number, entry.key, error)


# Engines


class Engine(NamedTuple):
    """Something that reads chunks.

    submit: starts the reading of a chunk; the future gives its rows.
    slots: how many chunks to keep under way.
    """

    submit: Callable[[list[Task], Settings], Future[str]]
    slots: int


@contextmanager
def local_engine(jobs: int) -> Iterator[Engine]:
    """`jobs` processes on this machine; none but this one if jobs is 1."""
    if jobs == 1:
        yield Engine(_read_here, 1)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin_worker) as pool:
        try:
            yield Engine(lambda tasks, settings: pool.submit(read_chunk, tasks, settings), 3 * jobs)
        except BrokenProcessPool as error:
            raise DigitsError(
                "A process that reads pictures was killed, perhaps for want of memory. Try fewer --jobs; with --out "
                "the same command goes on where it was."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _read_here(tasks: list[Task], settings: Settings) -> Future[str]:
    future: Future[str] = Future()
    future.set_result(read_chunk(tasks, settings))
    return future


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    """End this process when its parent is gone, however that was killed: nobody else would."""
    parent.join()
    os._exit(1)


@contextmanager
def ray_engine(address: str | None, jobs: int) -> Iterator[Engine]:
    """The machines of a Ray cluster, or a Ray of `jobs` processes on this one if no address is given.

    A chunk whose machine dies is read again on another. Raises DigitsError if Ray is missing or cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports on its users otherwise
    try:
        import ray
    except ModuleNotFoundError as error:
        raise DigitsError("The Ray engine needs Ray. Install it with: pip install ray") from error
    if address:
        _check_reachable(address)  # Ray itself would wait for ever
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        ray.init("local", num_cpus=jobs, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    read = ray.remote(read_chunk)
    cores = int(ray.cluster_resources()["CPU"])  # type: ignore[no-untyped-call]
    try:
        yield Engine(lambda tasks, settings: read.remote(tasks, settings).future(), 3 * cores)
    except ray.exceptions.RayError as error:
        raise DigitsError(f"Ray failed: {error}") from error
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if port.isdecimal():
            socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise DigitsError(f"No Ray cluster answers at {address}: {error}.") from error


# The run


def read_pictures(journal: Journal, settings: Settings, engine: Engine) -> Iterator[Row]:
    """Read what is pending, save it in the journal, and give the rows in order as they get done."""
    waiting: deque[_Part] = deque()
    rows: list[str] = []
    for chunk, tasks in journal.pending():
        for part, last in _parts(tasks):
            size = sum(_size(task) for task in part)
            while waiting and (len(waiting) >= engine.slots or size + sum(one.size for one in waiting) > UNDER_WAY):
                yield from _collect(journal, waiting.popleft(), rows)
            waiting.append(_Part(chunk, engine.submit(part, settings), size, last))
    while waiting:
        yield from _collect(journal, waiting.popleft(), rows)


class _Part(NamedTuple):
    """Some pictures of a chunk that are being read; size: bytes of those that came out of archives."""

    chunk: int
    rows: Future[str]
    size: int
    last: bool


def _parts(tasks: Iterator[Task]) -> Iterator[tuple[list[Task], bool]]:
    """A chunk's pictures, in as many parts as it takes to hold few bytes at a time, and whether it is the last part."""
    part: list[Task] = []
    size = 0
    for task in tasks:
        if size > PART:
            yield part, False
            part, size = [], 0
        part.append(task)
        size += _size(task)
    yield part, True


def _size(task: Task) -> int:
    return len(task.picture) if isinstance(task.picture, bytes) else 0


def _collect(journal: Journal, part: _Part, rows: list[str]) -> Iterator[Row]:
    """The rows of the next part. rows: those of its chunk that are waiting for the rest."""
    done = part.rows.result()
    rows.append(done)
    if part.last:
        journal.save(part.chunk, "\n".join(rows))
        rows.clear()
    return map(json.loads, done.splitlines())


def write_output(
    rows: Iterable[Row], form: str, out: Path, write: Callable[[Iterable[Row], Any], None] | None = None
) -> None:
    """Write rows as "table", "csv" or "jsonl" into a file, as "xlsx" into a workbook or as "parquet" into a folder.

    write: what writes them, into a text file or, of a workbook, to a path; that of rows.WRITERS if None. It appears
    when it is whole; until then an earlier one stays.
    """
    aside = out.with_name(f".{out.name}.tmp")
    if form == "parquet":
        shutil.rmtree(aside, ignore_errors=True)
        write_parquet(rows, aside)
        if out.exists():
            shutil.rmtree(out)
        aside.rename(out)
    elif form == "xlsx" and write is not None:
        write(rows, aside)
        aside.replace(out)
    else:
        with aside.open("w", encoding="utf-8", newline="") as file:
            (write or WRITERS[form])(rows, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(out)
