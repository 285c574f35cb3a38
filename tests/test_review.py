"""A spreadsheet under review: what is shown, what is written, and what is kept to learn from."""

import csv

import numpy as np
import pytest
from PIL import Image
from test_table import MARKS, draw_table
from typer.testing import CliRunner

from digits.cli import app
from digits.errors import DigitsError
from digits.fields import parse_column
from digits.flags import FlagStore
from digits.recognizer import Recognizer
from digits.review import Review

KNOWN = [parse_column("1:0-10")]  # 12, 64 and 30 in the first column are not allowed


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


@pytest.fixture
def marks(tmp_path, monkeypatch):
    """marks.csv, as predict wrote it of one sheet."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(draw_table(MARKS)).save("sheet.png")
    assert CliRunner().invoke(app, ["predict", "sheet.png", "--table", "--out", "marks.csv"]).exit_code == 0
    return tmp_path / "marks.csv"


def read(path):
    return [row[1:] for row in csv.reader(path.open(encoding="utf-8"))]


def places(review):
    """Of all doubts on the way forward, (row, column)."""
    found, doubt = [], review.after()
    while doubt:
        found.append((doubt.row, doubt.column))
        doubt = review.after(doubt.row, doubt.column)
    return found


def test_doubtful_cells_are_shown_in_order_with_their_pictures(marks, recognizer):
    review = Review(marks, recognizer, KNOWN)
    assert {(0, 0), (2, 0), (4, 0)} <= set(places(review)) and places(review) == sorted(places(review))
    doubt = review.after()
    assert doubt.text == read(marks)[0][0] and doubt.remark and doubt.source == "sheet.png"
    assert np.asarray(doubt.picture).min() < 100, "the number is seen on it"
    assert (review.before(2, 0).row, review.before(2, 0).column) == max(p for p in places(review) if p < (2, 0))
    assert review.before(0, 0) is None


def test_what_is_decided_is_written_at_once_with_who_knows_it(marks, recognizer):
    before = marks.read_bytes()
    review = Review(marks, recognizer, KNOWN)
    review.decide(0, 0, " 7 ")
    assert marks.read_bytes() == before
    assert read(review.checked) == [["7", *read(marks)[0][1:]], *read(marks)[1:]]
    assert read(review.decided_by)[0] == ["person", "machine", "machine", "machine"]
    assert (0, 0) not in places(review) and review.decided == 1


def test_an_interrupted_review_goes_on_where_it_was(marks, recognizer):
    Review(marks, recognizer, KNOWN).decide(2, 0, "6")
    again = Review(marks, recognizer, KNOWN)
    assert again.decided == 1 and (2, 0) not in places(again)
    again.decide(4, 0, "3")
    assert [row[0] for row in read(again.checked)][2:] == ["6", read(marks)[3][0], "3"]


def test_a_corrected_cell_is_flagged_and_a_confirmed_one_is_not(marks, recognizer, tmp_path):
    flags = FlagStore(tmp_path / "flagged")
    review = Review(marks, recognizer, KNOWN, flags)
    review.decide(0, 0, read(marks)[0][0])
    assert flags.flags() == []
    review.decide(2, 0, "absent")
    assert flags.flags() == [], "nothing can be learned from a word"
    review.decide(4, 0, "3")
    (flag,) = flags.flags()
    assert flag.label == "3" and flag.predicted == read(marks)[4][0]


def test_a_picture_that_is_gone_or_another_is_told_and_the_others_are_shown(marks, recognizer):
    with marks.open("a", encoding="utf-8") as file:
        file.write("gone.png,1,2\n")
    review = Review(marks, recognizer, KNOWN)
    assert (4, 0) in places(review) and "gone.png" in review.problems["gone.png"]
    marks.write_text("sheet.png,1,2\n")
    review = Review(marks, recognizer, KNOWN)
    assert places(review) == [] and "other cells" in review.problems["sheet.png"]


def test_rows_of_two_pictures_may_be_mixed(marks, recognizer):
    Image.fromarray(draw_table(MARKS)).save("again.png")
    head = marks.read_text().splitlines()
    marks.write_text("".join(f"{row}\n{row.replace('sheet', 'again')}\n" for row in head))
    review = Review(marks, recognizer, KNOWN)
    assert {(0, 0), (1, 0), (4, 0), (5, 0), (8, 0), (9, 0)} <= set(places(review)) and not review.problems


@pytest.mark.parametrize(
    "row, column, text", [(99, 0, "1"), (0, 4, "1"), (-1, 0, "1"), (0, 0, "1\n2"), (0, 0, "1" * 201)]
)
def test_what_is_no_decision_is_refused_and_nothing_written(marks, recognizer, row, column, text):
    review = Review(marks, recognizer)
    with pytest.raises(DigitsError):
        review.decide(row, column, text)
    assert not review.checked.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", None])
def test_what_is_no_spreadsheet_is_refused_with_a_sentence(tmp_path, recognizer, content):
    path = tmp_path / "marks.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DigitsError, match="Expected"):
        Review(path, recognizer)


def test_files_of_another_review_are_refused(marks, recognizer):
    Review(marks, recognizer).decide(0, 0, "1")
    with marks.open("a", encoding="utf-8") as file:
        file.write("sheet.png,1,2\n")
    with pytest.raises(DigitsError, match="other cells"):
        Review(marks, recognizer)
