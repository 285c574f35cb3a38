"""The page in a real Chromium, in front of the real program."""

import io
import math
import random
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from desk import A_STROKE, ONE, PHONE, SEVEN, THREE, axe_finds, load_axe, picture_of, random_step
from pictures import pages_of
from PIL import Image

from digits import Digit, Recognition
from digits.flags import FlagStore
from digits.recognition import Number
from digits.web.answer import as_answer
from digits.web.page import ASSETS, LANGUAGES


def flags_of(server):
    return FlagStore(server.flagged).flags()


def test_drawing_is_answered_with_its_label_its_rivals_and_all_ten_probabilities(desk):
    desk.draw(SEVEN)
    assert desk.text() == "7"
    labels, percentages = desk.bars()[0::2], desk.bars()[1::2]
    assert labels[0] == "7" and len(labels) <= 3
    assert all(re.fullmatch(r"(> )?\d{1,2}\.\d %", percentage) for percentage in percentages)
    columns = desk.columns()
    assert len(columns) == 10 and np.argmax(columns) == 7
    assert len(labels) == max(1, sum(probability >= 0.1 for probability in sorted(columns)[-3:]))


def test_drawing_and_uploading_the_same_picture_give_the_same_answer(desk):
    desk.draw(THREE)
    drawn = desk.columns()
    picture = desk.sent()
    desk.press("clear")
    desk.upload(picture)
    assert desk.columns() == drawn
    assert np.array_equal(pixels(desk.sent()), pixels(picture))


def test_submit_answers_when_the_live_switch_is_off(desk):
    desk.page.locator("[name=live]").uncheck()
    desk.draw(SEVEN)
    assert desk.text() == ""
    desk.press("submit")
    assert desk.text() == "7"


def test_clear_leaves_a_pad_that_is_ready_three_times_over(desk):
    for strokes, text in [(SEVEN, "7"), (ONE, "1"), (THREE, "3")]:
        desk.draw(strokes)
        assert desk.text() == text
        desk.press("clear")
        assert desk.blank() and desk.text() == "" and desk.bars() == []


def test_number_is_shown_with_its_probability_and_the_bars_of_the_digit_that_is_chosen(desk):
    draw_seventy_three(desk)
    assert desk.text() == "73"
    assert re.search(r"\d\.\d %", desk.status())
    assert desk.page.locator(".boxes span").count() == 2
    for place, label in enumerate("73"):
        desk.page.locator(f'.text [data-digit="{place}"]').click()
        assert desk.bars()[0] == label and desk.page.locator(".which").inner_text() == f"Digit {place + 1} of 2"


def test_digit_that_is_pointed_at_is_marked_in_picture_and_text(desk):
    draw_seventy_three(desk)
    marked = desk.page.locator(".hot")
    desk.page.locator('.text [data-digit="1"]').hover()
    assert sorted(marked.evaluate_all("all => all.map(each => each.parentElement.className)")) == ["boxes", "marks"]
    frame = desk.frame()
    desk.page.mouse.move(frame["x"] + 0.42 * frame["width"], frame["y"] + 0.25 * frame["height"])
    assert marked.evaluate_all("all => all.map(each => each.dataset.digit)") == ["0", "0"]
    desk.page.mouse.down()
    desk.page.mouse.up()
    desk.settle()
    assert desk.text() == "73" and desk.page.locator(".which").inner_text() == "Digit 1 of 2"


def test_weakest_digit_of_a_number_that_is_not_certain_is_marked_and_chosen(desk):
    answer_with(desk, [("1", 0.999), ("7", 0.62), ("4", 0.97)])
    assert desk.status() == "Unsure, 60.1 %"
    assert desk.page.locator(".doubted").evaluate_all("all => all.map(each => each.textContent)") == ["7"]
    assert desk.bars()[0] == "7"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_page_of_lines_is_shown_line_by_line_none_wrapped(new_desk, width):
    desk = new_desk(viewport={"width": width, "height": 800})
    texts = ["123456789012345678901234567890", "42", "7", "1234567", "5", "99"]
    answer_with(desk, *([(label, 0.96) for label in text] for text in texts))
    assert desk.text() == "\n".join(texts)
    lines = desk.page.locator(".text .line")
    heights = lines.evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
    assert len(heights) == 6 and max(heights) < 1.5 * min(heights)
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= width
    assert desk.page.locator(".number small").all_inner_texts() == [percent(0.96 ** len(text)) for text in texts]


def test_scribble_is_said_to_be_no_digit(desk):
    dice = random.Random(3)
    desk.draw([[(dice.uniform(0.2, 0.8), dice.uniform(0.2, 0.8)) for _ in range(14)]])
    assert "not a digit" in desk.status().lower()
    assert desk.text() == ""


def test_keyboard_undoes_redoes_clears_and_submits(desk):
    desk.draw(ONE)
    desk.page.keyboard.press("Control+z")
    assert desk.blank()
    desk.page.keyboard.press("Control+y")
    desk.settle()
    assert not desk.blank() and desk.text() == "1"
    asked = len(desk.asked)
    desk.page.keyboard.press("Enter")
    desk.settle()
    assert len(desk.asked) == asked + 1
    desk.page.keyboard.press("Escape")
    assert desk.blank()


def test_eraser_takes_ink_away(desk):
    desk.draw(ONE)
    ink = inked(desk)
    desk.press("eraser")
    desk.draw([[(0.3, 0.5), (0.7, 0.5)]])
    assert 0 < inked(desk) < ink


def test_brush_size_is_remembered(desk):
    desk.page.locator(".size input").fill("48")
    desk.open()
    assert desk.page.locator(".size input").input_value() == "48"
    desk.draw(ONE)
    stroke = 255 - np.asarray(desk.shown(), int)
    assert abs(stroke[stroke.shape[0] // 2].sum() / 255 / stroke.shape[1] * 640 - 48) < 3


def test_dot_is_drawn_by_a_click(desk):
    desk.draw([[(0.5, 0.5)]])
    assert inked(desk) > 0


def test_pen_draws_a_wider_line_when_pressed_harder(desk):
    widths = []
    for pressure in (0.2, 0.9):
        desk.press("clear")
        draw_with_pen(desk, pressure)
        widths.append(inked(desk))
    assert widths[1] > 2 * widths[0]


def test_late_answer_never_replaces_a_newer_one(desk):
    held = []

    def hold_the_first(route):
        if held or '"recognize"' not in (route.request.post_data or ""):
            route.continue_()
        else:
            held.append(route)

    desk.page.route("**/component_server/**", hold_the_first)
    frame = desk.frame()
    with desk.page.expect_request("**/component_server/**"):
        desk.page.mouse.click(frame["x"] + 40, frame["y"] + 40)
    desk.page.keyboard.press("Control+z")
    desk.draw(SEVEN)
    bars = desk.bars()
    with desk.page.expect_response("**/component_server/**") as late:
        held[0].continue_()
    late.value.finished()
    desk.look_inside()  # the page hears answers in their order: the late one, then this
    assert desk.bars() == bars != []


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_picture_can_be_dropped_or_pasted(desk, how):
    hand_over(desk, how, picture_of(SEVEN))
    desk.page.wait_for_function("document.querySelector('.text .mark')")
    assert desk.text() == "7"


def test_camera_takes_a_picture(desk):
    desk.page.locator('[data-do="camera"]').click()
    desk.page.locator('[data-do="shoot"]').click()  # possible as soon as the camera shows something
    desk.page.wait_for_function("!document.querySelector('dialog').open")
    desk.settle()
    assert desk.notice() == "" and not desk.blank()


def test_photo_is_shown_upright_whatever_its_exif_says(desk):
    upright = Image.open(io.BytesIO(picture_of(SEVEN)))
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    for turn, back in turns.items():
        exif = Image.Exif()
        exif[0x0112] = turn
        file = io.BytesIO()
        upright.transpose(back).save(file, "JPEG", exif=exif, quality=95)
        desk.upload(file.getvalue(), "photo.jpg")
        assert desk.text() == "7", f"EXIF orientation {turn}"


def test_white_on_a_dark_board_is_read_and_can_be_drawn_on(desk):
    desk.upload(picture_of(ONE, ink="white", paper="#203028"))
    assert desk.text() == "1"
    desk.draw([[(0.2, 0.2), (0.2, 0.8)]])
    assert np.asarray(desk.shown()).max() > 250
    assert desk.mismatch() < A_STROKE


def test_broken_upload_gets_a_plain_notice_and_leaves_the_drawing(desk):
    desk.draw(ONE)
    for content in (b"This is no picture.", picture_of(SEVEN)[:200], b""):
        desk.upload(content)
        assert desk.notice() and "object at 0x" not in desk.notice()
        assert desk.text() == "1"


def test_uploaded_pdf_is_read_from_its_first_page_and_a_photo_of_a_phone_whole(desk):
    desk.upload(pages_of("PDF", "12", "345"), "scan.pdf")
    assert desk.text() == "12" and "the first of 2 pages" in desk.page.locator(".notes").inner_text()
    desk.upload(Path(__file__).parents[1].joinpath("12.heic").read_bytes(), "photo.heic")
    assert desk.text() == "12"


def test_server_that_does_not_answer_is_said_and_the_drawing_stays(desk):
    desk.page.route("**/component_server/**", lambda route: route.abort())
    desk.draw(SEVEN)
    assert "The server does not answer" in desk.notice()
    assert desk.text() == "" and not desk.blank()
    desk.page.unroute("**/component_server/**")
    desk.page.locator(".text .mark").wait_for()  # it is asked again by itself
    assert desk.notice() == "" and desk.text() == "7"
    assert all("ERR_FAILED" in complaint for complaint in desk.complaints)
    desk.complaints.clear()  # the browser itself reports the request


def test_slow_answer_is_waited_for_in_sight(desk):
    desk.draw(ONE)
    desk.page.route("**/component_server/**", lambda route: None)  # never answered
    frame = desk.frame()
    desk.page.mouse.click(frame["x"] + 40, frame["y"] + 40)
    desk.page.locator(".desk.waiting").wait_for()
    assert desk.status() == "Reading..."
    desk.page.unroute("**/component_server/**")
    desk.press("undo")
    assert desk.text() == "1" and desk.page.locator(".desk.waiting").count() == 0


def test_photo_travels_once_and_then_only_what_is_drawn_on_it(desk):
    traffic = []
    desk.page.on("request", lambda request: traffic.append((request.url, len(request.post_data or ""))))
    desk.upload(photo(), "photo.jpg")
    size = len(desk.sent())
    assert size < 600_000
    desk.draw([[(0.1, 0.1), (0.1, 0.3)]])
    desk.look_inside()
    assert sum(url.endswith("/page/keep") for url, _ in traffic) == 1
    assert max(length for _, length in traffic) < 60_000
    assert desk.mismatch() < A_STROKE


def test_picture_that_the_server_has_forgotten_is_sent_again(desk):
    desk.upload(picture_of(SEVEN))
    forgotten = iter(2 * [{"error": "forgotten", "forgotten": True}])

    def answer(route):  # the route stays: Chromium may hold up for ever what it asks just when one is taken away
        reply = next(forgotten, None)
        route.fulfill(json=reply) if reply else route.continue_()

    desk.page.route("**/component_server/**", answer)
    desk.press("right")
    desk.page.wait_for_selector(".flagged:not([hidden])")
    assert desk.notice() == ""


def test_drawing_and_photo_survive_a_reload(desk):
    desk.draw(THREE)
    desk.open()
    desk.page.locator(".text .mark").wait_for()
    assert desk.text() == "3"
    desk.upload(photo(), "photo.jpg")
    desk.draw([[(0.1, 0.1), (0.1, 0.3)]])
    before = np.asarray(desk.shown(), float)
    desk.open()
    desk.page.wait_for_selector('[data-do="turn"]')
    desk.settle()
    assert np.abs(np.asarray(desk.shown(), float) - before).mean() < 2


def test_photo_can_be_turned_and_cropped(desk):
    sideways = Image.open(io.BytesIO(picture_of(SEVEN))).transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    sideways.save(file, "PNG")
    desk.upload(file.getvalue())
    desk.press("turn")
    assert desk.text() == "7"
    desk.press("crop")
    desk.page.locator(".crop-hint").wait_for()
    desk.page.wait_for_timeout(300)  # the pad makes room for the hint
    desk.draw([[(0.05, 0.05), (0.95, 0.5)]])
    assert desk.shown().width / desk.shown().height == pytest.approx(4 / 3 * 2, rel=0.05)
    assert desk.mismatch() < A_STROKE
    desk.press("undo")
    assert desk.text() == "7"


@pytest.mark.parametrize("button", ['[data-do="turn"]', '[data-do="undo"]', ".examples button"])
def test_page_is_busy_from_the_press_of_a_button_on(desk, button):
    desk.upload(picture_of(SEVEN))
    desk.draw([[(0.1, 0.1), (0.1, 0.3)]])
    busy = desk.page.locator(button).first.evaluate(
        "button => { button.click(); return document.querySelector('.answer').getAttribute('aria-busy'); }"
    )
    assert busy == "true"
    desk.settle()


def test_photo_that_is_turned_four_times_in_a_moment_is_upright_again(desk):
    desk.upload(picture_of(SEVEN))
    before = np.asarray(desk.shown(), float)
    desk.page.locator('[data-do="turn"]').evaluate("button => { for (let i = 0; i < 4; i++) button.click(); }")
    desk.settle()
    assert desk.text() == "7" and np.abs(np.asarray(desk.shown(), float) - before).mean() < 1


def test_photo_without_digits_says_what_to_do(desk):
    desk.upload(picture_of([]))
    assert "Turn the picture upright" in desk.status()


@pytest.mark.parametrize(("name", "remedy"), [("a.pdf", "Save it again"), ("b.svg", "PNG"), ("c.txt", "PNG")])
def test_file_that_cannot_be_read_is_named_with_the_remedy(desk, name, remedy):
    desk.upload(b"%PDF-" if name == "a.pdf" else b"<svg/>", name)
    assert desk.notice().startswith(f"{name}: ") and remedy in desk.notice()


def test_copied_is_seen(new_desk):
    desk = new_desk(permissions=["clipboard-read", "clipboard-write"])
    desk.draw(SEVEN)
    desk.press("copy")
    desk.page.get_by_text("Copied", exact=True).last.wait_for()
    assert desk.page.evaluate("navigator.clipboard.readText()") == "7"


def test_submit_is_shown_only_when_it_is_needed(desk):
    submit = desk.page.locator('[data-do="submit"]')
    assert not submit.is_visible()
    desk.page.locator("[name=live]").uncheck()
    assert submit.is_visible()


def test_picture_of_100_megapixels_is_answered_or_refused_plainly(desk):
    desk.upload(huge_picture())
    assert desk.notice() or not desk.blank()


def test_wrong_answer_is_flagged_with_its_true_label_and_the_flag_can_be_undone(desk, server):
    before = len(flags_of(server))
    desk.draw(SEVEN)
    desk.page.get_by_label("It is").fill("1")
    desk.press("save")
    desk.page.wait_for_selector(".flagged:not([hidden])")
    flag = flags_of(server)[0]
    assert (flag.label, flag.predicted) == ("1", "7")
    assert flag.picture_path.read_bytes() == desk.sent()
    desk.page.locator('[data-do="unflag"]').click()
    desk.page.wait_for_selector(".flag:not([hidden])")
    assert len(flags_of(server)) == before


def test_nothing_can_be_saved_before_something_is_typed_and_letters_are_refused_in_words(desk):
    desk.draw(SEVEN)
    save, label = desk.page.locator('[data-do="save"]'), desk.page.get_by_label("It is")
    for text, enabled in [("", False), ("  ", False), ("seven", False), ("1", True)]:
        label.fill(text)
        assert save.is_enabled() == enabled
        assert desk.page.locator(".refused").is_visible() == (text == "seven")


def test_blank_within_a_label_is_no_new_line(desk, server):
    draw_seventy_three(desk)
    desk.page.get_by_label("It is").fill("1 7")
    desk.press("save")
    desk.page.wait_for_selector(".flagged:not([hidden])")
    assert flags_of(server)[0].label == "1 7"


def test_not_a_digit_is_a_button(desk, server):
    desk.draw(SEVEN)
    desk.press("none")
    desk.page.wait_for_selector(".flagged:not([hidden])")
    assert flags_of(server)[0].label == ""
    assert desk.page.locator(".flagged").inner_text().startswith("Saved as wrong: not a digit")


def test_tapping_a_label_corrects_the_chosen_digit(desk, server):
    draw_seventy_three(desk)
    desk.page.locator('.text [data-digit="1"]').click()
    desk.page.locator(".ten button").nth(8).click()
    assert desk.page.get_by_label("It is").input_value() == "78"
    desk.press("save")
    desk.page.wait_for_selector(".flagged:not([hidden])")
    assert flags_of(server)[0].label == "78"


def test_flagged_picture_can_be_mended_deleted_and_brought_back(desk, server):
    desk.draw(THREE)
    desk.page.locator('[data-do="right"]').click()
    desk.page.wait_for_selector(".flagged:not([hidden])")
    flag = flags_of(server)[0]
    assert flag.label == flag.predicted == "3"
    desk.go_to("Flagged")
    item = desk.page.locator(f'.flags li[data-id="{flag.id}"]')
    item.get_by_role("textbox").fill("8")
    item.get_by_role("button", name="Save").click()
    item.get_by_role("button", name="Saved").wait_for()
    assert "wrong" in item.inner_text()
    assert flags_of(server)[0].label == "8"
    item.get_by_role("textbox").fill("eight")
    item.get_by_role("button", name="Save").click()
    item.get_by_text("digits 0 to 9").wait_for()  # at the item
    item.get_by_role("button", name="Delete").click()
    undo = desk.page.locator(".flags .gone button")
    undo.wait_for()
    assert flag.id not in [left.id for left in flags_of(server)]
    undo.click()
    desk.page.locator(".flags .gone").wait_for(state="detached")
    assert flags_of(server)[0].picture_sha256 == flag.picture_sha256 and flags_of(server)[0].label == "8"


def test_flags_are_filtered_whatever_answer_comes_last_and_exported(desk, server):
    held = []

    def hold_the_first(route):
        if held:
            route.continue_()
        held.append(route)

    for label in ("3", "8", "5"):
        desk.press("clear")
        desk.draw(THREE)
        desk.page.get_by_label("It is").fill(label)
        desk.press("save")
        desk.page.wait_for_selector(".flagged:not([hidden])")
    desk.go_to("Flagged")
    desk.page.route("**/component_server/**", hold_the_first)
    desk.page.locator(".flags [name=kind]").select_option("wrong")
    desk.page.locator(".flags [name=label]").fill("8")
    wrong = [flag for flag in flags_of(server) if flag.label != flag.predicted and "8" in (flag.label or "")]
    shown = desk.page.locator(".flags li[data-id]")
    desk.page.wait_for_function(f"document.querySelectorAll('.flags li[data-id]').length === {len(wrong)}")
    with desk.page.expect_response("**/component_server/**"):
        held[0].continue_()
    assert {each.get_attribute("data-id") for each in shown.all()} == {flag.id for flag in wrong}
    assert shown.locator("img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 200
    with desk.page.expect_download() as download:
        desk.page.get_by_text("Export all as a zip").click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert len(names) == 1 + len(flags_of(server))


def test_handwriting_says_what_is_read_steps_back_and_goes_on_after_a_reload(desk, server):
    desk.go_to("My handwriting")
    wanted = desk.page.locator(".handwriting .prompt b").inner_text()
    write_a_stroke(desk)
    desk.page.get_by_role("button", name="Save and next").click()
    desk.page.wait_for_selector(".prompt:has-text('Sample 2 of')")
    told = desk.page.locator(".told").inner_text()
    flag = flags_of(server)[0]
    assert flag.label == wanted
    assert told.startswith(f"{wanted} is saved.") and ("worth learning" in told) == (flag.predicted != wanted)
    desk.open()
    desk.go_to("My handwriting")
    assert "Sample 2 of" in desk.page.locator(".handwriting .prompt").inner_text()
    desk.page.get_by_role("button", name="Back").click()
    desk.page.wait_for_selector(".prompt:has-text('Sample 1 of')")
    assert desk.page.locator(".handwriting .prompt b").inner_text() == wanted
    assert flag.id not in [left.id for left in flags_of(server)]


def test_look_inside_shows_what_the_network_saw_and_what_decided(desk):
    desk.draw(SEVEN)
    desk.look_inside()
    seen, decided = (desk.page.locator(f"img.{name}") for name in ("seen", "decided"))
    assert [image.evaluate("image => image.naturalWidth") for image in (seen, decided)] == [28, 28]
    assert decided.get_attribute("alt") == "Which parts of digit 1 decided that it is 7"


def test_result_card_is_downloaded_as_a_png(desk):
    desk.draw(SEVEN)
    with desk.page.expect_download() as download:
        desk.page.locator('[data-do="card"]').click()
    assert download.value.suggested_filename == "digits-7.png"
    assert Image.open(download.value.path()).format == "PNG"


def test_examples_are_drawn_and_answered(desk):
    for name in ["7", "3"]:
        desk.page.get_by_role("button", name=f"Example: {name}").click()
        desk.settle()
        assert desk.text() == name


def test_answer_is_announced_and_every_control_has_a_name(desk):
    desk.draw(SEVEN)
    assert re.match(r"7 .*\d\.\d %", desk.page.locator("[aria-live=polite].announced").inner_text())
    nameless = desk.page.locator(".desk :is(button, input, canvas.pad)").evaluate_all(
        "controls => controls.filter(each => !(each.ariaLabel || each.innerText || each.title"
        " || each.labels?.[0]?.textContent.trim())).length"
    )
    assert nameless == 0


WINDOWS = {
    "small phone": (320, 640),
    "phone": (390, 844),
    "phone on its side": (844, 390),
    "tablet": (820, 1180),
    "tablet on its side": (1180, 820),
    "laptop": (1280, 800),
    "low": (1280, 640),
    "laptop at 200 %": (640, 400),
    "wide": (1920, 1080),
}


@pytest.mark.parametrize("window", WINDOWS)
def test_pad_tools_and_answer_fit_into_the_window(new_desk, window):
    width, height = WINDOWS[window]
    desk = new_desk(viewport={"width": width, "height": height})
    desk.draw(SEVEN)
    for part in ["canvas.pad", ".tools [data-do=clear]", ".status"]:
        box = desk.page.locator(part).first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, part
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, part
    tools, pad = desk.page.locator(".tools").bounding_box(), desk.frame()
    assert pad["width"] >= 0.3 * min(width, 1680)
    assert tools["width"] <= max(pad["width"], 320) + 1
    assert desk.page.locator(".tools").evaluate("tools => tools.scrollWidth <= tools.clientWidth + 1")
    assert desk.page.evaluate("document.documentElement.scrollWidth") == width


def test_tablet_and_phone_fill_the_width_and_offer_pictures_before_flags(new_desk):
    for width, height in [(390, 844), (820, 1180)]:
        desk = new_desk(viewport={"width": width, "height": height}, has_touch=True)
        assert desk.frame()["width"] > 0.9 * width
        desk.draw(SEVEN)
        order = [desk.page.locator(part).bounding_box()["y"] for part in ["canvas.pad", ".text", ".bring", ".flag"]]
        assert order == sorted(order)


def test_phone_draws_answers_and_flags_without_scrolling(new_desk, server):
    desk = new_desk(**PHONE)
    draw_with_finger(desk, SEVEN)
    assert desk.text() == "7"
    right = desk.page.locator('[data-do="right"]')
    box = right.bounding_box()
    assert box["y"] + box["height"] <= 844
    right.tap()
    desk.page.wait_for_selector(".flagged:not([hidden])")
    assert flags_of(server)[0].label == "7"
    assert desk.page.evaluate("[scrollX, scrollY, document.documentElement.scrollWidth]") == [0, 0, 390]


@pytest.mark.parametrize("seed", range(8))
def test_server_receives_what_the_pad_shows_whatever_is_done(desk, seed):
    dice = random.Random(seed)
    done = []
    for _ in range(10):
        done.append(random_step(desk, dice))
        assert desk.mismatch() < A_STROKE, done


def test_nothing_but_this_server_is_asked_for_anything(desk, server):
    for tab in ["Flagged", "My handwriting", "Help", "Draw"]:
        desk.go_to(tab)
    desk.draw(SEVEN)
    desk.look_inside()
    assert {url for url in desk.requested if not url.startswith((server.url, "data:", "blob:"))} == set()
    addresses = server.connections.read_text().splitlines()
    assert [line for line in addresses if not re.search(r"127\.0\.0\.1|localhost|::1|/dev/log", line)] == []


def test_axe_finds_nothing_on_any_tab_in_any_state_light_or_dark(desk):
    load_axe(desk.page)

    def check(state):
        for theme, options in [("dark", "{ runOnly: ['color-contrast'] }"), ("light", "{}")]:  # nothing else differs
            desk.page.evaluate(f"document.body.classList.toggle('dark', {str(theme == 'dark').lower()})")
            assert axe_finds(desk.page, options) == [], (state, theme)

    check("empty")
    desk.draw(SEVEN)
    desk.look_inside()
    check("digit")
    desk.page.get_by_label("It is").fill("x")
    check("refused")
    desk.press("right")
    for tab in ["Flagged", "My handwriting", "Help", "Draw"]:
        desk.go_to(tab)
        check(tab)
    answer_with(desk, *[[("7", 0.97), ("1", 0.6)]] * 3)
    check("page")
    desk.upload(b"x", "a.pdf")
    check("error")
    desk.page.route("**/component_server/**", lambda route: None)
    desk.page.locator('.desk [data-do="undo"]').click()
    desk.page.locator(".desk.waiting").wait_for()
    check("waiting")


@pytest.mark.parametrize("language", ["de-DE", "fr-CH", "es-MX", "zh-CN", "hi-IN", "ar-EG", "xx"])
def test_page_speaks_the_language_of_the_browser_and_answers_in_ascii(new_desk, language):
    desk = new_desk(locale=language)
    words = LANGUAGES.get(language.partition("-")[0], {})
    assert desk.page.get_by_role("tab").first.inner_text() == words.get("Draw", "Draw")
    assert desk.status() == words.get("Draw, and the answer appears here.", "Draw, and the answer appears here.")
    desk.draw(SEVEN)
    assert desk.text() == "7" and re.search(r"\d{2}[.,]\d %", desk.status())
    direction = desk.page.locator(".desk").evaluate("desk => getComputedStyle(desk).direction")
    assert direction == ("rtl" if language == "ar-EG" else "ltr")
    assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_language_says_everything():
    said = set()
    for script in ASSETS.glob("*.js"):
        said |= set(re.findall(r'say\(\s*"([^"]+)"', script.read_text("utf-8")))
    for sheet in ASSETS.glob("*.html"):
        if sheet.name not in ("programs.html", "review.html"):  # pages of their own
            text = sheet.read_text("utf-8")
            said |= set(re.findall(r'(?:title|aria-label)="([^"]+)"', text))
            said |= {words.strip() for words in re.findall(r">([^<>]+)<", text) if words.strip()}
    assert {language: said - set(words) for language, words in LANGUAGES.items() if said - set(words)} == {}
    fields = re.compile(r"\{\w+\}|#")
    for words in LANGUAGES.values():
        for key, text in words.items():
            assert key == "help.md" or sorted(fields.findall(key)) == sorted(fields.findall(text)), key


def test_nothing_moves_where_motion_is_not_wanted(new_desk):
    desk = new_desk(reduced_motion="reduce")
    desk.draw(SEVEN)
    moving = "all => all.filter(each => parseFloat(getComputedStyle(each).transitionDuration) > 0).length"
    assert desk.page.locator(".desk *").evaluate_all(moving) == 0


def photo():
    """A seven on grainy paper, 3000x2250, as a JPEG of megabytes."""
    paper = np.random.default_rng(1).normal(200, 12, (2250, 3000, 3)).clip(0, 255).astype(np.uint8)
    seven = Image.open(io.BytesIO(picture_of(SEVEN, (3000, 2250))))
    file = io.BytesIO()
    Image.fromarray(np.minimum(paper, np.asarray(seven) + 40)).save(file, "JPEG", quality=92)
    return file.getvalue()


def draw_seventy_three(desk):
    desk.press("wide")
    desk.draw([[(0.42 + 0.3 * (x - 0.5), y) for x, y in stroke] for stroke in SEVEN])
    desk.draw([[(0.56 + 0.3 * (x - 0.5), y) for x, y in stroke] for stroke in THREE])


def write_a_stroke(desk):
    pad = desk.page.locator(".handwriting canvas.pad").bounding_box()
    x, y = pad["x"] + pad["width"] / 2, pad["y"]
    desk.page.mouse.move(x, y + 0.2 * pad["height"])
    desk.page.mouse.down()
    desk.page.mouse.move(x + 4, y + 0.8 * pad["height"], steps=8)
    desk.page.mouse.up()


def answer_with(desk, *lines):
    """Have the server answer whatever is asked with these lines of (label, confidence)."""
    digits = [
        Digit(probabilities(label, confidence), (0, 0, 9, 9), np.zeros((28, 28), np.uint8), number)
        for number, line in enumerate(lines)
        for label, confidence in line
    ]
    by_line = [tuple(digit for digit in digits if digit.line == number) for number in range(len(lines))]
    numbers = tuple(Number(line, math.prod(digit.confidence for digit in line)) for line in by_line)
    answer = {"id": "", "model": "", **as_answer(Recognition(tuple(digits), numbers=numbers))}
    desk.page.locator('[data-do="look"]').click()  # there is nothing to look into
    desk.page.route("**/component_server/**", lambda route: route.fulfill(json=answer))
    desk.draw(ONE)


def probabilities(label, confidence):
    row = np.full(10, (1 - confidence) / 9, np.float32)
    row[int(label)] = confidence
    return row


def percent(probability):
    return f"{'' if probability >= 0.8 else 'Unsure, '}{100 * probability:.1f} %"


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def inked(desk):
    return (255 - np.asarray(desk.shown(), float)).mean()


def huge_picture():
    """100 megapixels in a few kilobytes."""
    file = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(file, "PNG")
    return file.getvalue()


def draw_with_pen(desk, pressure):
    desk.page.locator("canvas.pad").first.evaluate(
        """(canvas, pressure) => {
            const frame = canvas.getBoundingClientRect();
            canvas.setPointerCapture = () => {};
            const pen = {pointerType: "pen", pointerId: 7, isPrimary: true, button: 0, pressure};
            ["pointerdown", "pointermove", "pointerup"].forEach((name, i) => canvas.dispatchEvent(
                new PointerEvent(name, {...pen, clientX: frame.left + 100 + 100 * i, clientY: frame.top + 100})
            ));
        }""",
        pressure,
    )
    desk.settle()


def draw_with_finger(desk, strokes):
    touch = desk.page.context.new_cdp_session(desk.page)
    frame = desk.frame()
    for stroke in strokes:
        points = [{"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]} for x, y in stroke]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
        for point in points[1:]:
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    desk.page.locator('[data-do="undo"]:enabled').wait_for()  # the finger's last event need not be there at once
    desk.settle()


def hand_over(desk, how, picture):
    desk.page.evaluate(
        """([how, content]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], "seven.png", {type: "image/png"}));
            const event = how === "drop"
                ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
                : new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
            document.body.dispatchEvent(event); // anywhere on the window
        }""",
        [how, list(picture)],
    )
