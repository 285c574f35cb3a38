"""A table on the page: beside its picture, corrected cell by cell, taken away as a spreadsheet."""

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from digits.flags import FlagStore

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from test_table import MARKS, draw_table


@pytest.fixture
def table(desk):
    file = io.BytesIO()
    Image.fromarray(draw_table(MARKS)).save(file, "PNG")
    desk.upload(file.getvalue())
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
    with desk.page.expect_response("**/component_server/**"):
        cell.press("Enter")
    (flag,) = [flag for flag in FlagStore(server.flagged).flags() if flag.label == "72"]
    assert flag.predicted == "12" and Image.open(flag.picture_path).width < 250
    desk.open()
    desk.page.wait_for_selector(".tables input")
    assert values(desk)[0] == ["72", *MARKS[0][1:]]


def test_table_is_taken_away_as_csv_and_by_copying(new_desk):
    desk = new_desk(permissions=["clipboard-read", "clipboard-write"])
    file = io.BytesIO()
    Image.fromarray(draw_table(MARKS)).save(file, "PNG")
    desk.upload(file.getvalue())
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
