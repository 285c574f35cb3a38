"""Review: what a person decides about the doubtful cells of a spreadsheet that `digits predict --table` wrote.

The spreadsheet stays as it is. Beside marks.csv appear marks-checked.csv, the same with what was decided, and
marks-decided-by.csv, which says of each cell whether "machine" or "person" knows it. A review that was interrupted goes
on where it was.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from pathlib import Path
from typing import Any

from PIL import Image

from digits.decode import as_png, decode
from digits.errors import DigitsError, FlagsError, PictureError, shown
from digits.fields import Entry, Field, enter
from digits.files import read_regular, replace_file
from digits.flags import FlagStore
from digits.pages import Page
from digits.recognition import Cell
from digits.recognizer import Recognizer
from digits.sheets import tables_of

MOST_BYTES = 100_000_000  # of a spreadsheet
LONGEST = 200  # characters of a cell
OPEN = 4  # pictures that are kept at hand
AROUND = 0.35  # of a cell's height that is shown around it
MACHINE, PERSON = "machine", "person"

Rows = list[list[str]]


@dataclass(frozen=True, eq=False)
class Doubt:
    """A cell to look at. row, column: in the spreadsheet, from 0; its head and the column of pictures do not count.

    text: what stands there now; remark: what is to be looked at; picture: of the cell; source: the picture it is from.
    """

    row: int
    column: int
    text: str
    remark: str
    picture: Image.Image
    source: str


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A picture and what is read in it: of each row its cells, and what goes into the spreadsheet of them."""

    image: Image.Image
    cells: list[tuple[Cell, ...]]
    entries: list[list[Entry]]


class Review:
    """A spreadsheet under review.

    path: a CSV file of `digits predict --table`, whose first column names the pictures, from the folder in which the
    program runs. known: what is known of its columns. flags: where pictures of corrected cells are kept, to learn from;
    None for nowhere.

    Raises DigitsError if it is no such file; OSError.
    """

    def __init__(
        self, path: Path, recognizer: Recognizer, known: Sequence[Field] = (), flags: FlagStore | None = None
    ) -> None:
        self.checked = path.with_name(f"{path.stem}-checked.csv")
        self.decided_by = path.with_name(f"{path.stem}-decided-by.csv")
        self.problems: dict[str, str] = {}  # of pictures that cannot be looked at, why
        self._recognizer, self._known, self._flags = recognizer, known, flags
        rows = _read(path)
        self._head = rows[:1] if rows and rows[0][0] == "picture" else []
        self._sources = [row[0] for row in rows[len(self._head) :]]
        counts = {source: count() for source in self._sources}
        self._places = [next(counts[source]) for source in self._sources]  # of each row among those of its picture
        self._texts = [row[1:] for row in rows[len(self._head) :]]
        self._who = [[MACHINE] * len(row) for row in self._texts]
        if self.decided_by.is_file():
            self._go_on()
        self._sheet = lru_cache(OPEN)(self._look)

    def __len__(self) -> int:
        """How many rows the spreadsheet has."""
        return len(self._texts)

    @property
    def decided(self) -> int:
        """How many cells a person has decided."""
        return sum(row.count(PERSON) for row in self._who)

    def after(self, row: int = 0, column: int = -1) -> Doubt | None:
        """The first doubtful cell after a place that no person has decided; None if there is none."""
        for place in range(row, len(self)):
            for at, entry in enumerate(self._entries(place)):
                behind = place > row or at > column
                if behind and entry.to_check and self._who[place][at] != PERSON:
                    return self._doubt(place, at)
        return None

    def before(self, row: int, column: int) -> Doubt | None:
        """The last doubtful cell before a place, decided or not; None if there is none."""
        for place in range(min(row, len(self) - 1), -1, -1):
            for at, entry in reversed(list(enumerate(self._entries(place)))):
                if entry.to_check and (place < row or at < column):
                    return self._doubt(place, at)
        return None

    def decide(self, row: int, column: int, text: str) -> None:
        """Write what a person has read in a cell; it is on disk when this returns.

        Raises DigitsError if there is no such cell, or that is no text for one; OSError.
        """
        if not (0 <= row < len(self) and 0 <= column < len(self._texts[row])):
            raise DigitsError(f"There is no cell in row {row + 1}, column {column + 1}.")
        text = text.strip()
        if len(text) > LONGEST or not text.isprintable():
            raise DigitsError(f"A cell has at most {LONGEST} characters, in one line. Received: {shown(text, 40)!r}.")
        corrected = text != self._texts[row][column]
        self._texts[row][column], self._who[row][column] = text, PERSON
        self._write(self.checked, self._texts)
        self._write(self.decided_by, self._who)
        if corrected and self._flags is not None:
            self._keep(self._flags, row, column, text)

    def _go_on(self) -> None:
        """From where an earlier review has ended."""
        rows = [row[1:] for path in (self.checked, self.decided_by) for row in _read(path)[len(self._head) :]]
        texts, who = rows[: len(self)], rows[len(self) :]
        if [*map(len, texts), *map(len, who)] != 2 * [len(row) for row in self._texts]:
            raise DigitsError(
                f"{self.checked.name} and {self.decided_by.name} have other cells than the spreadsheet. Expected those "
                "of an earlier review of it. Move them away to begin anew."
            )
        self._texts, self._who = texts, who

    def _write(self, path: Path, rows: Rows) -> None:
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([*self._head, *([source, *row] for source, row in zip(self._sources, rows, strict=True))])
        replace_file(path, file.getvalue().encode())

    def _entries(self, row: int) -> list[Entry]:
        """What was read in a row; nothing if its picture cannot be looked at."""
        source = self._sources[row]
        if source in self.problems:
            return []
        try:
            return self._sheet(source).entries[self._places[row]]
        except DigitsError as error:
            self.problems[source] = str(error)
            return []

    def _look(self, source: str) -> _Sheet:
        """Read a picture again. Raises DigitsError if it does not give the rows of the spreadsheet."""
        picture = _file_or_page(source)
        found = self._recognizer.recognize(picture)
        tables = tables_of(found)
        entries = list(chain.from_iterable(enter(table, self._known) for table in tables))
        cells = list(chain.from_iterable(table.rows for table in tables))
        rows = [row for row, name in zip(self._texts, self._sources, strict=True) if name == source]
        if [len(row) for row in entries] != [len(row) for row in rows]:
            raise DigitsError(
                f"{shown(source)} gives other cells than the spreadsheet has of it. Expected a spreadsheet of this "
                "program as it is now: write it anew with digits predict --table."
            )
        return _Sheet(decode(picture).convert("RGB"), cells, entries)

    def _doubt(self, row: int, column: int) -> Doubt:
        source = self._sources[row]
        entry, image = self._entries(row)[column], self._sheet(source).image
        left, top, right, bottom = entry.box
        room = round(AROUND * (bottom - top))
        box = max(left - room, 0), max(top - room, 0), min(right + room, image.width), min(bottom + room, image.height)
        return Doubt(row, column, self._texts[row][column], entry.remark, image.crop(box), source)

    def _keep(self, flags: FlagStore, row: int, column: int, text: str) -> None:
        """Flag the picture of a corrected cell, if its text is one to learn from."""
        source = self._sources[row]
        if not self._entries(row):
            return
        sheet = self._sheet(source)
        cell = sheet.cells[self._places[row]][column]
        try:
            flags.add(as_png(sheet.image.crop(cell.box)), cell.alone(), text, self._recognizer.classifier.digest)
        except FlagsError:  # a word is no label
            return


def _read(path: Path) -> Rows:
    """The rows of a CSV file that have a picture. Raises DigitsError if it is none."""
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8")
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise DigitsError(f"{shown(str(path))} cannot be read: {error}. Expected a CSV file in UTF-8.") from error
    if not rows:
        raise DigitsError(f"{shown(str(path))} is empty. Expected what digits predict --table --out has written.")
    return rows


def _file_or_page(source: str) -> Any:
    """The picture of a name in a spreadsheet: a file, or a page of one, as scan.pdf#2."""
    page = re.fullmatch(r"(.+)#(\d+)", source)
    if page and not Path(source).is_file():
        return Page(page[1], int(page[2]))
    if not Path(source).is_file():
        raise PictureError(f"There is no file {shown(source)}. Begin the review in the folder where it was read.")
    return source
