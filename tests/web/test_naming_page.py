"""A form on the page: its fields are named by hand, and go away as a template that reads them."""

import io
import sys
from pathlib import Path

import pytest
from desk import assert_accessible
from PIL import Image

from digits import DigitsError, Recognizer
from digits.flags import FlagStore
from digits.template import load_template, parse_template
from digits.web.actions import Actions
from digits.web.page import LANGUAGES

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from test_template import BOXES, form

AGE, WEIGHT = BOXES["Age"], BOXES["Weight"]
FORM = form("12", "7", "345")
HEIGHT, WIDTH = FORM.shape


def filled_form():
    """A PNG of the form."""
    file = io.BytesIO()
    Image.fromarray(FORM).save(file, "PNG")
    return file.getvalue()


def naming(desk):
    """The desk with the form, its fields about to be named."""
    desk.upload(filled_form())
    desk.page.locator('[data-do="fields"]').click()
    desk.page.locator(".naming").wait_for()
    return desk


def drag(desk, box):
    """Draw a box, given in pixels of the form."""
    left, top, right, bottom = box
    desk.draw([[(left / WIDTH, top / HEIGHT), (right / WIDTH, bottom / HEIGHT)]])


def name(desk, *names):
    for place, each in enumerate(names):
        desk.page.locator("[name=field]").nth(place).fill(each)


def names(desk):
    return desk.page.locator("[name=field]").evaluate_all("all => all.map(each => each.value)")


def download(desk):
    """The template of the named fields."""
    with desk.page.expect_download() as download:
        desk.page.locator('[data-do="form"]').click()
    assert download.value.suggested_filename == "form.json"
    return parse_template(load_template(Path(download.value.path())))


@pytest.fixture
def form_desk(desk):
    return naming(desk)


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def test_fields_that_are_drawn_and_named_become_a_template_that_reads_them(form_desk, recognizer):
    drag(form_desk, AGE)
    drag(form_desk, WEIGHT)
    assert names(form_desk) == ["field 1", "field 2"]
    name(form_desk, "Age", "Weight")
    assert form_desk.page.locator(".frames").inner_text().split("\n") == ["1 Age", "2 Weight"]
    rule = form_desk.page.locator(".named li").first.locator(".rule")
    rule.locator("select").select_option("range")
    rule.locator("input").fill("0-120")
    template = download(form_desk)
    assert [(field.name, field.high) for field in template.fields] == [("Age", 120), ("Weight", None)]
    for made, drawn in zip(template.boxes, (AGE, WEIGHT), strict=True):
        assert made == pytest.approx(drawn, abs=4)
    assert template.read(recognizer, filled_form())[1].table.texts == (("12", "7"),)


def test_box_is_added_moved_and_resized_by_the_keyboard_within_the_picture(form_desk):
    page = form_desk.page
    page.locator('[data-do="add-field"]').press("Enter")
    box = page.locator(".frames button")
    assert box.evaluate("box => box === document.activeElement")
    (before,) = download(form_desk).boxes
    box.focus()
    for key in [*["ArrowLeft"] * 2, "ArrowUp", *["Shift+ArrowRight"] * 3, "Shift+ArrowDown"]:
        page.keyboard.press(key)
    (after,) = download(form_desk).boxes
    step = 5  # pixels
    assert [new - old for new, old in zip(after, before, strict=True)] == [-2 * step, -step, step, 0]
    box.focus()
    for _ in range(WIDTH // step):
        page.keyboard.press("ArrowRight")
    assert WIDTH - step < download(form_desk).boxes[0][2] <= WIDTH
    box.press("Enter")
    assert page.evaluate("document.activeElement.name") == "field"


def test_finger_draws_a_box(new_desk):
    desk = naming(new_desk(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True))
    frame, touch = desk.frame(), desk.page.context.new_cdp_session(desk.page)
    ends = [
        {"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]}
        for x, y in [(0.2, 0.3), (0.5, 0.4)]
    ]
    for kind, points in [("touchStart", ends[:1]), ("touchMove", ends[1:]), ("touchEnd", [])]:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    desk.page.locator(".frames button").wait_for()
    assert download(desk).boxes[0] == pytest.approx((200, 180, 500, 240), abs=6)


def test_fields_survive_drawing_undo_and_a_reload_but_not_another_picture(form_desk):
    drag(form_desk, AGE)
    drag(form_desk, WEIGHT)
    name(form_desk, "Age", "Weight")
    form_desk.press("brush")
    form_desk.draw([[(0.8, 0.8), (0.8, 0.9)]])
    form_desk.press("undo")
    form_desk.open()
    form_desk.page.locator('[data-do="fields"]').click()
    assert names(form_desk) == ["Age", "Weight"]
    form_desk.page.get_by_label("Remove field 1").click()
    form_desk.page.locator('[data-do="add-field"]').click()
    assert names(form_desk) == ["Weight", "field 1"]
    form_desk.press("turn")
    form_desk.page.locator('[data-do="fields"]').click()
    assert names(form_desk) == [] and form_desk.page.locator('[data-do="form"]').is_disabled()


def test_fields_are_named_only_in_a_picture(desk):
    button = desk.page.locator('[data-do="fields"]')
    assert button.is_hidden()
    desk.draw([[(0.5, 0.2), (0.5, 0.8)]])
    assert button.is_hidden()
    desk.upload(filled_form())
    assert button.is_visible()
    desk.press("clear")
    assert button.is_hidden()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_names_that_are_equal_or_empty_are_refused_with_a_sentence(new_desk, language):
    desk = naming(new_desk(locale=language))
    drag(desk, AGE)
    drag(desk, WEIGHT)
    for given, key, sentence in [
        (["Age", " Age"], "Fields # and # have the same name.", "Fields 1 and 2 have the same name."),
        (["Age", ""], "Field # has no name.", "Field 2 has no name."),
    ]:
        name(desk, *given)
        desk.page.locator('[data-do="form"]').click()
        said = LANGUAGES.get(language, {key: sentence})[key]
        for number in filter(str.isdigit, sentence):
            said = said.replace("#", number, 1)
        desk.page.get_by_role("alert").filter(has_text=said).wait_for()


@pytest.mark.parametrize(("width", "language"), [(320, "en"), (390, "ar"), (768, "fr"), (1280, "de"), (1920, "hi")])
def test_naming_fits_into_the_window_and_axe_finds_nothing(new_desk, width, language):
    desk = naming(new_desk(locale=language, viewport={"width": width, "height": 800}))
    drag(desk, AGE)
    drag(desk, WEIGHT)
    desk.page.locator(".named select").first.select_option("range")
    assert desk.page.evaluate("document.documentElement.scrollWidth") == width
    assert_accessible(desk.page, ".board")


@pytest.fixture(scope="module")
def actions(recognizer, tmp_path_factory):
    return Actions(recognizer, FlagStore(tmp_path_factory.mktemp("flagged")))


@pytest.mark.parametrize(
    ("boxes", "known", "why"),
    [
        ({}, [], "0 fields"),
        ({"Age": [0, 0, 9]}, [], "not described"),
        ({"Age": [WIDTH, 0, WIDTH + 9, 9]}, [], "no place in the picture"),
        ({"Age": [0, 0, 10**400, 9]}, [], "not described"),
        ({"Age": list(AGE)}, ["1:9"], "what column 1:9 is"),
    ],
)
def test_fields_that_cannot_be_are_refused_with_a_sentence(actions, boxes, known, why):
    picture = actions.keep_picture(filled_form())["id"]
    fields = [{"name": name, "box": box} for name, box in boxes.items()]
    with pytest.raises(DigitsError, match=why):
        actions.make_template(picture, known, fields)


def test_escape_ends_the_naming_and_keeps_form_and_fields(form_desk):
    drag(form_desk, AGE)
    name(form_desk, "Age")
    form_desk.page.locator('[data-do="fields"]').focus()
    form_desk.page.keyboard.press("Escape")
    assert not form_desk.page.locator(".naming").is_visible() and not form_desk.blank()
    form_desk.page.locator('[data-do="fields"]').click()
    assert names(form_desk) == ["Age"]
