"""Sheets: the tables of any number of pictures as one spreadsheet, a row a table row, with its picture first."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from PIL import Image

from digits.decode import as_png, decode
from digits.errors import DigitsError
from digits.fields import Entry, Field, Typed, enter
from digits.recognition import Cell, Recognition, Table
from digits.rows import Row

if TYPE_CHECKING:
    from openpyxl.cell import Cell as SheetCell
    from openpyxl.worksheet.worksheet import Worksheet

TO_CHECK = "FFF2CC"  # colour of a cell that a person should look at
PICTURE_HEIGHT = 48  # pixels of the picture of a cell


def as_tables(
    recognition: Recognition, known: Sequence[Field] = (), picture: Any = None, typed: Mapping[int, Typed] | None = None
) -> list[list[list[Row]]]:
    """The tables of a picture as JSON-ready values: of each table its rows, of each row its entries.

    A picture without a table gives its lines: a row a line, an entry a number. picture: if it is given, each entry that
    is to be checked has a PNG of its cell, in base64. typed: what a person has written, by table, from 0.
    """
    tables = tables_of(recognition)
    image = None if picture is None or not tables else decode(picture).convert("RGB")
    typed = typed or {}
    entered = [enter(table, known, typed.get(number)) for number, table in enumerate(tables)]
    return [[[_as_row(entry, image) for entry in row] for row in rows] for rows in entered]


def tables_of(recognition: Recognition) -> tuple[Table, ...]:
    """The tables of a picture; one without gives its lines as a table, a row a line."""
    return recognition.tables or tuple(_lines_as_table(recognition))


def _lines_as_table(recognition: Recognition) -> Iterator[Table]:
    lines: dict[int, list[Cell]] = {}
    for number in recognition.numbers:
        lines.setdefault(number.line, []).append(Cell((number,), number.box))
    if lines:
        yield Table(tuple(tuple(lines[line]) for line in sorted(lines)))


def _as_row(entry: Entry, image: Image.Image | None) -> Row:
    row = asdict(entry) | {"box": list(entry.box), "confidence": round(entry.confidence, 4), "check": entry.to_check}
    return row if image is None or not entry.to_check else row | {"picture": _cut(image, entry)}


def _cut(image: Image.Image, entry: Entry) -> str:
    """The picture of a cell, a PNG in base64."""
    part = image.crop(entry.box)
    part = part.resize((max(1, round(part.width * PICTURE_HEIGHT / part.height)), PICTURE_HEIGHT))
    return base64.b64encode(as_png(part)).decode()


def _table_rows(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row], str | None]]:
    """Picture, entries and error of each row of each table; one without entries for a picture that has none."""
    for row in rows:
        tables = row["tables"]
        for entries in (entries for table in tables for entries in table):
            yield row["picture"], entries, None
        if not tables:
            yield row["picture"], [], row["error"]


def write_texts(
    rows: Iterable[Row], file: TextIO, known: Sequence[Field] = (), what: str = "text", apart: str = ","
) -> None:
    """Comma-separated values, or with another sign between them; `what` of each entry: "text" or "confidence".

    The first line has the names of the columns, if they have names.
    """
    writer = csv.writer(file, delimiter=apart, lineterminator="\n")
    if any(field.name for field in known):
        writer.writerow(_head(known))
    for picture, entries, error in _table_rows(rows):
        writer.writerow([picture, *([f"error: {error}"] if error else [entry[what] for entry in entries])])


def _head(known: Sequence[Field]) -> list[str]:
    names = {field.column: field.name for field in known}
    return ["picture", *(names.get(column, "") for column in range(1, max(names) + 1))]


def write_xlsx(rows: Iterable[Row], path: Path | BinaryIO, known: Sequence[Field] = ()) -> None:
    """A workbook: the tables, with those cells in colour that are to be checked, and a sheet with their pictures.

    Rows whose picture is "" begin with their first cell. Raises DigitsError if openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
    except ModuleNotFoundError as error:
        raise DigitsError("Workbooks need openpyxl. Install it with: pip install openpyxl") from error
    book = Workbook()
    marks, check = book.active, book.create_sheet("to check")
    marks.title = "tables"
    if any(field.name for field in known):
        _append(marks, _head(known))
    _append(check, ["picture", "cell", "read", "probability", "what to look at", "as written"])
    for picture, entries, failure in _table_rows(rows):
        lead = [picture] if picture else []
        _append(marks, [*lead, *([f"error: {failure}"] if failure else [_value(entry["text"]) for entry in entries])])
        for column, entry in enumerate(entries, 1 + len(lead)):
            if entry["check"]:
                _mark(marks.cell(marks.max_row, column), check, picture, entry)
    book.save(path)


def _append(sheet: Worksheet, values: Sequence[Any]) -> None:
    """A row of values; a text that begins with = is no formula."""
    sheet.append(values)
    for cell in sheet[sheet.max_row]:
        if isinstance(cell.value, str):
            cell.data_type = "s"


def _value(text: str) -> str | int | float | None:
    """Numbers as numbers, unless a leading zero or a sign would be lost."""
    if text.isascii() and text.isdigit() and str(int(text)) == text:
        return int(text)
    return text or None


def _mark(cell: SheetCell, check: Worksheet, picture: str, entry: Row) -> None:
    """Colour a cell, and put it on the sheet of what is to be checked."""
    from openpyxl.comments import Comment
    from openpyxl.drawing.image import Image as Drawing
    from openpyxl.styles import PatternFill

    cell.fill = PatternFill("solid", start_color=TO_CHECK)
    if entry["remark"]:
        cell.comment = Comment(entry["remark"], "digits")
    _append(check, [picture, cell.coordinate, entry["text"], entry["confidence"], entry["remark"]])
    check.cell(check.max_row, 2).hyperlink = f"#tables!{cell.coordinate}"
    if "picture" in entry:
        check.add_image(Drawing(io.BytesIO(base64.b64decode(entry["picture"]))), f"F{check.max_row}")
        check.row_dimensions[check.max_row].height = PICTURE_HEIGHT
