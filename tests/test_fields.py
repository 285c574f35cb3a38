"""What is known of columns, and what follows for what was read in them."""

import json

import numpy as np
import pytest
from test_table import make_digit

from digits.errors import DigitsError
from digits.fields import Field, enter, load_fields, parse_column, value_of
from digits.recognition import Cell, Digit, Number, Sign, Table


def doubtful(label, other, share):
    """A digit that is `label`, or with this probability the other."""
    probabilities = np.full(10, 0.001, np.float32)
    probabilities[label], probabilities[other] = 0.992 - share, share
    return Digit(probabilities, (0, 0, 10, 20), np.zeros((28, 28), np.uint8))


def cell_of(*marks):
    confidence = float(np.prod([mark.confidence for mark in marks]))
    return Cell((Number(marks, confidence),) if marks else (), (0, 0, 50, 30))


def row_of(*texts):
    return Table((tuple(cell_of(*(make_digit(int(label), 0.99) for label in text)) for text in texts),))


def test_most_probable_number_that_is_allowed_is_taken_and_said():
    cell = cell_of(make_digit(1), doubtful(7, 1, 0.3), make_digit(0))
    ((entry,),) = enter(Table(((cell,),)), [Field(1, low=100, high=120)])
    assert (entry.text, entry.written, entry.verdict) == ("110", "170", "unsure")
    assert entry.remark == "read as 170, which is not allowed: 100 to 120"


def test_number_that_is_allowed_stays_and_is_no_less_sure():
    cell = cell_of(doubtful(7, 1, 0.3), make_digit(5))
    ((entry,),) = enter(Table(((cell,),)), [Field(1, low=60, high=100)])
    assert (entry.text, entry.written, entry.remark) == ("75", None, "")
    assert entry.confidence > cell.confidence


def test_number_stays_as_written_if_none_of_its_length_is_allowed():
    ((entry,),) = enter(row_of("345"), [parse_column("1:0-20")])
    assert (entry.text, entry.verdict) == ("345", "unsure") and "not allowed" in entry.remark


def test_pattern_and_number_of_digits_are_kept_to():
    cell = cell_of(make_digit(2), Sign(".", (0, 0, 3, 3), 0.99), doubtful(7, 5, 0.3))
    ((entry,),) = enter(Table(((cell,),)), [Field(1, pattern=r"\d\.[05]")])
    assert entry.text == "2.5" and entry.written == "2.7"
    ((entry,),) = enter(row_of("12"), [Field(1, digits=3)])
    assert entry.remark == "12 is not allowed: 3 digits"


@pytest.mark.parametrize(("total", "remark"), [("16", ""), ("18", "the sum of columns 1 to 3 is 16")])
def test_sum_that_does_not_add_up_is_said(total, remark):
    (row,) = enter(row_of("4", "", "12", total), [Field(4, sum=(1, 3))])
    assert row[3].remark == remark and row[3].to_check == bool(remark)


@pytest.mark.parametrize(("text", "value"), [("12", 12), ("-0,5", -0.5), ("3.14", 3.14), ("", None), ("12:30", None)])
def test_value_of_a_text(text, value):
    assert value_of(text) == value


def test_what_a_person_typed_counts_allowed_or_not():
    (row,) = enter(row_of("4", "17", "21"), [Field(2, low=0, high=10), Field(3, sum=(1, 2))], {(0, 1): "16"})
    assert (row[1].text, row[1].written, row[1].remark) == ("16", None, "16 is not allowed: 0 to 10")
    assert row[2].remark == "the sum of columns 1 to 2 is 20"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("2:0-100", Field(2, low=0, high=100)),
        ("3:-5.5-0", Field(3, low=-5.5, high=0)),
        ("1:digits=3", Field(1, digits=3)),
        ("1:like=12:30", Field(1, like="12:30")),
        ("4:sum=1-3", Field(4, sum=(1, 3))),
    ],
)
def test_column_is_described_in_a_few_signs(text, field):
    assert parse_column(text) == field


def test_example_stands_for_all_of_its_form():
    field = parse_column("1:like=12:30")
    assert field.allows("07:45") and not field.allows("7:45") and not field.allows("0745")


@pytest.mark.parametrize(
    "text", ["", "2", "0:0-100", "2:100-0", "a:1-2", "1:digits=x", "1:like=ab", "4:sum=3-1", "4:sum=0-1", "1:like=1\0"]
)
def test_column_that_is_not_understood_is_refused(text):
    with pytest.raises(DigitsError, match="2:0-100"):
        parse_column(text)


def test_fields_are_loaded_from_a_file(tmp_path):
    file = tmp_path / "columns.json"
    file.write_text(json.dumps([{"name": "Number"}, {"name": "Marks", "low": 0, "high": 100}, {"sum": [1, 2]}]))
    assert load_fields(file) == [Field(1, "Number"), Field(2, "Marks", 0, 100), Field(3, sum=(1, 2))]


@pytest.mark.parametrize(
    "content",
    [
        *("", "{}x", '[{"lowest": 1}]', "[1]", '[{"pattern": "("}]', '[{"sum": [1]}]'),
        *('[{"low": "one"}]', '[{"column": "a"}]', '[{"like": 5}]'),
    ],
)
def test_file_that_describes_no_columns_is_refused(tmp_path, content):
    file = tmp_path / "columns.json"
    file.write_text(content)
    with pytest.raises(DigitsError, match="does not describe columns"):
        load_fields(file)
