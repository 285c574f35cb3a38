"""A table on the page: beside its picture, corrected cell by cell, taken away as a spreadsheet."""

import io
import sys
from pathlib import Path

import openpyxl
import pytest
from desk import assert_accessible
from PIL import Image

from digits import Recognizer
from digits.errors import DigitsError, PictureError
from digits.flags import FlagStore
from digits.template import load_template, parse_template
from digits.web.actions import Actions

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pictures import HAND
from test_table import MARKS, draw_table

MAYBE_ONE = [[(0.31, 0.22), (0.58, 0.14), (0.5, 0.9)]]  # read as a 7, but it may be a 1
SUMS = [["?0", "5", "15"], ["25", "7", "30"]]  # the third column is the sum of the others, but for a slip


def sheet_of(texts):
    """A PNG of a table."""
    file = io.BytesIO()
    Image.fromarray(draw_table(texts)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def table(desk):
    desk.upload(sheet_of(MARKS))
    desk.page.wait_for_selector(".tables input")
    return desk.page.locator(".tables table")


def values(desk):
    rows = desk.page.locator(".tables tr")
    return rows.evaluate_all("all => all.map(row => [...row.querySelectorAll('input')].map(each => each.value))")


def test_table_is_shown_as_a_table(desk, table):
    assert table.count() == 1 and values(desk) == MARKS
    assert desk.page.locator(".text .line").count() == 0


def test_cell_that_is_pointed_at_is_marked_in_table_and_picture(desk, table):
    desk.page.locator('.tables [data-cell="0-1-2"]').hover()
    hot = desk.page.locator(".hot")
    assert sorted(hot.evaluate_all("all => all.map(each => each.tagName + each.dataset.cell)")) == [
        "INPUT0-1-2",
        "SPAN0-1-2",
    ]
    frame, box = desk.frame(), desk.page.locator(".boxes .cell.hot").bounding_box()
    desk.page.mouse.move(frame["x"] + 5, frame["y"] + 5)
    assert desk.page.locator("input.hot").count() == 0
    desk.page.mouse.move(box["x"] + 4, box["y"] + 4)
    assert desk.page.locator("input.hot").get_attribute("data-cell") == "0-1-2"


def test_correction_is_kept_as_a_flag_of_its_cell_and_survives_a_reload(desk, table, server):
    cell = desk.page.locator('.tables [data-cell="0-0-0"]')
    cell.fill("72")
    with desk.page.expect_response(  # that is kept, not what was asked before
        lambda response: "component_server" in response.url and '"72"' in (response.request.post_data or "")
    ):
        cell.press("Enter")
    (flag,) = [flag for flag in FlagStore(server.flagged).flags() if flag.label == "72"]
    assert flag.predicted == "12" and Image.open(flag.picture_path).width < 250
    desk.open()
    desk.page.wait_for_selector(".tables input")
    assert values(desk)[0] == ["72", *MARKS[0][1:]]


def test_table_is_taken_away_as_csv_and_by_copying(new_desk):
    desk = new_desk(permissions=["clipboard-read", "clipboard-write"])
    desk.upload(sheet_of(MARKS))
    desk.page.wait_for_selector(".tables input")
    with desk.page.expect_download() as download:
        desk.page.locator('[data-do="download"]').click()
    assert Path(download.value.path()).read_text() == "".join(",".join(row) + "\n" for row in MARKS)
    desk.page.locator('[data-do="copy"]').click()
    assert desk.page.evaluate("navigator.clipboard.readText()") == "\n".join("\t".join(row) for row in MARKS)


def test_tab_leads_to_the_cells_that_need_a_look(desk, table):
    desk.page.evaluate("""[...document.querySelectorAll('.tables input')].forEach((input) => {
        input.tabIndex = ['0-1-3', '0-3-0'].includes(input.dataset.cell) ? 0 : -1;
    })""")
    desk.page.locator('[data-do="copy"]').focus()
    visited = []
    for _ in range(2):
        desk.page.keyboard.press("Tab")
        visited.append(desk.page.evaluate("document.activeElement.dataset.cell"))
    assert visited == ["0-1-3", "0-3-0"]


@pytest.fixture
def sums(desk, monkeypatch):
    monkeypatch.setitem(HAND, "?", MAYBE_ONE)
    desk.upload(sheet_of(SUMS))
    desk.page.wait_for_selector(".tables input")
    desk.page.get_by_text("What is known of the columns").click()
    return desk


def say_of(desk, column, kind, value):
    """Say in the form what stands in a column, and wait until the tables are there again."""
    rule = desk.page.locator(f'.rule[data-column="{column}"]')
    rule.locator("select").select_option(kind)
    rule.locator("input").fill(value)
    with desk.page.expect_response("**/component_server/**"):
        rule.locator("input").press("Tab")


def test_number_that_is_not_allowed_is_replaced_beside_what_was_written(sums):
    assert values(sums) == [["70", "5", "15"], SUMS[1]]
    say_of(sums, 1, "range", "0-50")
    sums.page.wait_for_selector("td:has([data-cell='0-0-0']) s:has-text('70')")
    assert values(sums) == [["10", "5", "15"], SUMS[1]]
    remark = "Row 1, column 1: read as 70, which is not allowed: 0 to 50"
    assert sums.page.locator(".remarks li").all_inner_texts() == [remark]
    assert sums.page.locator(".to-check").inner_text() == "1 cells to check"
    sums.page.locator('.tables [data-cell="0-0-0"]').press("Enter")  # the person agrees, and the remark has served
    sums.page.wait_for_function("!document.querySelector('.remarks').children.length")
    assert values(sums)[0][0] == "10"


def test_sum_is_checked_again_with_what_was_typed_and_all_of_it_survives_a_reload(sums):
    say_of(sums, 3, "sum", "1-2")
    remarks = sums.page.locator(".remarks li")
    sums.page.wait_for_selector(".remarks li")
    assert remarks.last.inner_text() == "Row 2, column 3: the sum of columns 1 to 2 is 32"
    sums.page.locator('.tables [data-cell="0-1-1"]').fill("5")
    sums.page.locator('.tables [data-cell="0-1-1"]').press("Tab")
    sums.page.wait_for_function("document.querySelectorAll('.remarks li').length === 1")
    sums.open()
    sums.page.wait_for_selector(".remarks li")
    assert remarks.all_inner_texts() == ["Row 1, column 3: the sum of columns 1 to 2 is 75"]
    assert values(sums)[1] == ["25", "5", "30"]
    assert sums.page.locator('.rule[data-column="3"] input').input_value() == "1-2"


def test_rule_that_is_not_understood_is_refused_and_changes_nothing(sums):
    say_of(sums, 2, "range", "9")
    sums.page.get_by_text("Column 2: 9 is not understood. It is written as 0-100.").wait_for()
    say_of(sums, 1, "digits", "1")
    sums.page.wait_for_selector(".remarks li")
    assert sums.page.locator(".remarks li").first.inner_text() == "Row 1, column 1: 70 is not allowed: 1 digits"
    assert values(sums)[1] == SUMS[1]


def test_workbook_holds_what_the_page_shows_with_its_doubts_in_colour(sums):
    say_of(sums, 1, "range", "0-50")
    sums.page.wait_for_selector(".remarks li")
    with sums.page.expect_download() as download:
        sums.page.get_by_text("Download XLSX").click()
    book = openpyxl.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert [[cell.value for cell in row] for row in book["tables"].iter_rows()] == [[10, 5, 15], [25, 7, 30]]
    assert "70" in book["tables"]["A1"].comment.text and len(book["to check"]._images) == 1


def test_template_of_the_shown_table_holds_what_is_known_of_its_columns_and_reads_it(sums):
    say_of(sums, 1, "range", "0-50")
    say_of(sums, 3, "sum", "1-2")
    with sums.page.expect_download() as download:
        sums.page.get_by_role("button", name="Download template").click()
    assert download.value.suggested_filename == "form.json"
    form = parse_template(load_template(Path(download.value.path())))
    assert [(field.name, field.high, field.sum) for field in form.fields] == [
        *(("r1c1", 50, None), ("r1c2", None, None), ("r1c3", None, (1, 2))),
        *(("r2c1", 50, None), ("r2c2", None, None), ("r2c3", None, (4, 5))),
    ]
    _, found = form.read(Recognizer(), sheet_of(SUMS))
    assert found.table.texts == (("70", "5", "15", *SUMS[1]),)


def test_axe_finds_nothing_at_a_table_with_its_form(sums):
    say_of(sums, 1, "range", "0-50")
    sums.page.wait_for_selector(".remarks li")
    say_of(sums, 2, "range", "9")
    assert_accessible(sums.page, ".sheet")


@pytest.fixture(scope="module")
def actions(tmp_path_factory):
    return Actions(Recognizer(), FlagStore(tmp_path_factory.mktemp("flagged")))


@pytest.mark.parametrize("typed", [{"0-0": "7"}, {"a": "7"}, {"0-0-0": "\0"}], ids=repr)
def test_cells_that_cannot_be_are_refused_with_a_sentence(actions, typed):
    with pytest.raises(PictureError, match="cell"):
        actions.enter_tables("no picture is asked for", [], typed)


def test_workbook_without_openpyxl_is_one_sentence(actions, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    picture = actions.keep_picture(sheet_of(MARKS))["id"]
    with pytest.raises(DigitsError, match="pip install openpyxl"):
        actions.make_workbook(actions.recognize(None, picture)["id"], [], {})
