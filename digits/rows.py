"""Rows: what was read in one picture as plain values, the same on screen, in files and over HTTP."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from digits.errors import DigitsError, shown
from digits.recognition import Digit, Number, Recognition

if TYPE_CHECKING:
    import pyarrow

Row = dict[str, Any]

COLUMNS = ("picture", "text", "confidence", "verdict", "numbers", "digits", "notes", "error")
AS_JSON = ("numbers", "digits")  # in a table of plain columns
ROWS_A_GROUP = 5_000  # of a Parquet part
GROUPS_A_PART = 200


def as_row(picture: str, recognition: Recognition, top: int = 3) -> Row:
    """One picture's answer as JSON-ready values.

    picture: the key that the caller knows it by.
    top: how many labels of each digit to give.

    Returns
        picture     str, the key
        text        str, the lines joined by newlines, the numbers of a line by blanks; "" when there is nothing to read
        confidence  float in [0, 1], the probability that the whole text is right (the product over its numbers),
                    rounded to 4 places; None without a text
        verdict     "sure" when all numbers of the text are, else "unsure"; "not a digit" when there is no digit and no
                    sign; None when nothing was found
        numbers     list of dicts: text ("3.14", "-5"), confidence (that all of it is right), verdict, box, line, signs
                    (list of {text, confidence, box})
        digits      list of dicts: label, confidence, verdict, box [left, top, right, bottom], line, top (list of
                    {label, confidence}, best first)
        notes       list of str, what was done to the picture
        error       str, why the picture could not be read; None otherwise
    """
    read = [number for number in recognition.numbers if number.verdict != "not a digit"]
    return {
        "picture": picture,
        "text": recognition.text,
        "confidence": round(math.prod(number.confidence for number in read), 4) if read else None,
        "verdict": _verdict(recognition.numbers, read),
        "numbers": [_number(number) for number in recognition.numbers],
        "digits": [_digit(digit, top) for digit in recognition.digits],
        "notes": list(recognition.notes),
        "error": recognition.error,
    }


def _verdict(found: tuple[Number, ...], read: list[Number]) -> str | None:
    if not read:
        return "not a digit" if found else None
    return "sure" if all(number.verdict == "sure" for number in read) else "unsure"


def _number(number: Number) -> Row:
    return {
        "text": number.text,
        "confidence": round(number.confidence, 4),
        "verdict": number.verdict,
        "box": list(number.box),
        "line": number.line,
        "signs": [
            {"text": sign.text, "confidence": round(sign.confidence, 4), "box": list(sign.box)} for sign in number.signs
        ],
    }


def _digit(digit: Digit, top: int) -> Row:
    return {
        "label": digit.label,
        "confidence": round(digit.confidence, 4),
        "verdict": digit.verdict,
        "box": list(digit.box),
        "line": digit.line,
        "top": [{"label": label, "confidence": round(confidence, 4)} for label, confidence in digit.top(top)],
    }


def write_table(rows: Iterable[Row], file: TextIO) -> None:
    """For eyes: a line a picture; numbers of several lines are joined by " / "."""
    for row in rows:
        text = row["text"].replace("\n", " / ") or "-"
        confidence = f"{row['confidence']:7.1%}" if row["confidence"] is not None else " " * 7
        file.write(f"{text:<12} {confidence}  {_remark(row):<12}  {_name(row)}{_rivals(row)}\n")


def _name(row: Row) -> str:
    """The key, fit for a terminal, whatever a file is called."""
    return shown(row["picture"], 4096)


def _remark(row: Row) -> str:
    if row["error"]:
        return "unreadable"
    return row["verdict"] or "nothing"


def _rivals(row: Row) -> str:
    if row["error"]:
        return f": {shown(row['error'], 4096)}"
    if len(row["digits"]) != 1 or len(row["digits"][0]["top"]) < 2:
        return ""
    others = (f"{rival['label']} {rival['confidence']:.1%}" for rival in row["digits"][0]["top"][1:])
    return f"  (or {', '.join(others)})"


def write_csv(rows: Iterable[Row], file: TextIO) -> None:
    """Comma-separated values with a header; `numbers` and `digits` are JSON, `notes` are joined by "; "."""
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        as_json = {column: json.dumps(row[column]) for column in AS_JSON}
        writer.writerow(row | as_json | {"notes": "; ".join(row["notes"])})


def write_jsonl(rows: Iterable[Row], file: TextIO) -> None:
    """A JSON object a line."""
    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


WRITERS: dict[str, Callable[[Iterable[Row], TextIO], None]] = {
    "table": write_table,
    "csv": write_csv,
    "jsonl": write_jsonl,
}


def write_parquet(rows: Iterable[Row], folder: Path) -> None:
    """A new folder of part-00000.parquet, part-00001.parquet, ... in the order of the rows.

    Raises DigitsError if PyArrow is not installed.
    """
    try:
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise DigitsError("Parquet needs PyArrow. Install it with: pip install pyarrow") from error
    folder.mkdir()
    schema = _schema()
    groups = _batches(rows, ROWS_A_GROUP)
    for number in count():
        part = list(islice(groups, 1))  # look ahead: no part without rows
        if not part:
            break
        with pyarrow.parquet.ParquetWriter(folder / f"part-{number:05}.parquet", schema) as writer:
            for group in chain(part, islice(groups, GROUPS_A_PART - 1)):
                writer.write_batch(pyarrow.RecordBatch.from_pylist(group, schema=schema))


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def _schema() -> pyarrow.Schema:
    import pyarrow as pa

    top = pa.struct([("label", pa.int8()), ("confidence", pa.float32())])
    digit = pa.struct(
        [
            ("label", pa.int8()),
            ("confidence", pa.float32()),
            ("verdict", pa.string()),
            ("box", pa.list_(pa.int32())),
            ("line", pa.int32()),
            ("top", pa.list_(top)),
        ]
    )
    sign = pa.struct([("text", pa.string()), ("confidence", pa.float32()), ("box", pa.list_(pa.int32()))])
    number = pa.struct(
        [
            ("text", pa.string()),
            ("confidence", pa.float32()),
            ("verdict", pa.string()),
            ("box", pa.list_(pa.int32())),
            ("line", pa.int32()),
            ("signs", pa.list_(sign)),
        ]
    )
    return pa.schema(
        [
            ("picture", pa.string()),
            ("text", pa.string()),
            ("confidence", pa.float32()),
            ("verdict", pa.string()),
            ("numbers", pa.list_(number)),
            ("digits", pa.list_(digit)),
            ("notes", pa.list_(pa.string())),
            ("error", pa.string()),
        ]
    )
