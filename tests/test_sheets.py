"""Tables on the command line: one row a table row, the same however it is written."""

import csv
import re
from pathlib import Path

import openpyxl
import pytest
from PIL import Image
from test_cli import digits
from test_table import MARKS, draw_table


@pytest.fixture(scope="module")
def sheets(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sheets")
    Image.fromarray(draw_table(MARKS)).save(folder / "a.png")
    Image.fromarray(draw_table(MARKS[:3], lines=False)).save(folder / "b.png")
    (folder / "c.png").write_bytes(b"no picture")
    return folder


def rows_of(file):
    return list(csv.reader(file.read_text().splitlines()))


def test_predict_writes_a_row_a_table_row_with_its_picture_first(sheets, tmp_path):
    out, sure = tmp_path / "marks.csv", tmp_path / "sure.csv"
    run = digits("predict", sheets, "--table", "--out", out, "--confidence", sure)
    assert run.returncode == 1 and run.stderr == ""
    rows = rows_of(out)
    assert [row[1:] for row in rows[:8]] == [*MARKS, *MARKS[:3]]
    assert [Path(row[0]).name for row in rows] == ["a.png"] * 5 + ["b.png"] * 3 + ["c.png"]
    assert rows[8][1].startswith("error: ")
    confidences = rows_of(sure)
    assert [len(row) for row in confidences] == [len(row) for row in rows]
    assert all(0 <= float(value) <= 1 for row in confidences[:8] for value in row[1:])


def test_what_is_not_allowed_is_said_and_names_come_first(sheets, tmp_path):
    columns = tmp_path / "columns.json"
    columns.write_text('[{"name": "a", "low": 1, "high": 50}, {"name": "b"}, {"name": "c"}, {"name": "d"}]')
    run = digits("predict", sheets / "a.png", "--table", "--format", "csv", "--columns", columns)
    assert run.stdout.splitlines()[0] == "picture,a,b,c,d"
    assert re.search(r"a\.png, row 3, column 1: .*64.* not allowed: 1 to 50", run.stderr)


def test_predict_writes_a_workbook_with_what_is_to_be_checked(sheets, tmp_path):
    out = tmp_path / "marks.xlsx"
    digits("predict", sheets / "a.png", "--table", "--out", out, "--column", "1:1-50")
    book = openpyxl.load_workbook(out)
    marks, check = book["tables"], book["to check"]
    assert [marks.cell(row, 3).value for row in (1, 3)] == [7, 5]
    assert "64" in marks["B3"].comment.text and marks["B3"].fill.start_color.rgb.endswith("FFF2CC")
    assert "B3" in [row[1].value for row in check.iter_rows()] and len(check._images) == check.max_row - 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--column", "1:0-9"],
        ["--format", "xlsx"],
        ["--table", "--format", "xlsx"],
        ["--table", "--confidence", "c.csv"],
    ],
)
def test_options_that_need_tables_or_a_file_say_so(sheets, arguments):
    assert digits("predict", sheets, *arguments).returncode == 2
