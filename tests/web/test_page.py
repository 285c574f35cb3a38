"""The page in a real Chromium, in front of the real program."""

import io
import json
import random
import re

import numpy as np
import pytest
from desk import A_STROKE, ONE, PHONE, SEVEN, THREE, picture_of, random_step
from PIL import Image

from digits.flags import FlagStore


def flags_of(server):
    return FlagStore(server.flagged).flags()


def test_drawing_is_answered_with_the_top_three_to_one_decimal(desk):
    desk.draw(SEVEN)
    assert desk.text() == "7"
    (bars,) = desk.bars()
    labels, percentages = bars[0::2], bars[1::2]
    assert labels[0] == "7" and len(labels) == 3
    assert all(re.fullmatch(r"\d{1,3}\.\d %", percentage) for percentage in percentages)


def test_drawing_and_uploading_the_same_picture_give_the_same_answer(desk):
    desk.draw(THREE)
    drawn = desk.bars()
    picture = desk.sent[-1]
    desk.press("clear")
    desk.upload(picture)
    assert desk.bars() == drawn
    assert np.array_equal(pixels(desk.sent[-1]), pixels(picture))


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


def test_number_gets_a_box_and_three_bars_for_each_digit(desk):
    desk.press("wide")
    desk.draw([[(0.25 + 0.3 * (x - 0.5), y) for x, y in stroke] for stroke in SEVEN])
    desk.draw([[(0.75 + 0.3 * (x - 0.5), y) for x, y in stroke] for stroke in THREE])
    assert desk.text() == "73"
    assert [len(bars) for bars in desk.bars()] == [6, 6]
    assert desk.page.locator(".boxes span").count() == 2


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
    sent = len(desk.sent)
    desk.page.keyboard.press("Enter")
    desk.settle()
    assert len(desk.sent) == sent + 1
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
    desk.page.wait_for_function("document.querySelector('output.text').innerText !== ''")
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


def test_server_that_does_not_answer_is_said_and_the_drawing_stays(desk):
    desk.page.route("**/component_server/**", lambda route: route.abort())
    desk.draw(SEVEN)
    assert "The server does not answer" in desk.notice()
    assert desk.text() == "" and not desk.blank()
    desk.page.unroute("**/component_server/**")
    desk.press("submit")
    assert desk.notice() == "" and desk.text() == "7"
    assert all("ERR_FAILED" in complaint for complaint in desk.complaints)
    desk.complaints.clear()  # the browser itself reports the request


def test_picture_of_100_megapixels_is_answered_or_refused_plainly(desk):
    desk.upload(huge_picture())
    assert desk.notice() or not desk.blank()


def test_wrong_answer_is_flagged_with_its_true_label_and_the_flag_can_be_undone(desk, server):
    before = len(flags_of(server))
    desk.draw(SEVEN)
    desk.page.get_by_label("Wrong, it is").fill("1")
    desk.page.get_by_role("button", name="Save").first.click()
    desk.page.wait_for_selector(".flagged:not([hidden])")
    flag = flags_of(server)[0]
    assert (flag.label, flag.predicted) == ("1", "7")
    assert flag.picture_path.read_bytes() == desk.sent[-1]
    desk.page.locator('[data-do="unflag"]').click()
    desk.page.wait_for_selector(".flag:not([hidden])")
    assert len(flags_of(server)) == before


def test_flagged_picture_can_be_mended_and_deleted(desk, server):
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
    item.get_by_role("button", name="Delete").click()
    item.get_by_role("button", name="Really delete?").click()
    item.wait_for(state="detached")
    assert flag.id not in [left.id for left in flags_of(server)]


def test_label_that_is_no_number_is_refused_with_a_notice(desk, server):
    desk.draw(SEVEN)
    desk.page.locator(".wrong input").evaluate("input => input.removeAttribute('pattern')")
    desk.page.get_by_label("Wrong, it is").fill("seven")
    desk.page.get_by_role("button", name="Save").first.click()
    desk.page.wait_for_selector(".desk .notice:not([hidden])")
    assert "digits 0 to 9" in desk.notice()


def test_handwriting_tab_saves_labelled_samples(desk, server):
    desk.go_to("My handwriting")
    prompt = desk.page.locator(".handwriting .prompt")
    wanted = prompt.locator("b").inner_text()
    pad = desk.page.locator(".handwriting canvas.pad").bounding_box()
    desk.page.mouse.move(pad["x"] + 200, pad["y"] + 60)
    desk.page.mouse.down()
    desk.page.mouse.move(pad["x"] + 210, pad["y"] + 300, steps=8)
    desk.page.mouse.up()
    desk.page.get_by_role("button", name="Save and next").click()
    desk.page.wait_for_selector(".prompt:has-text('Sample 2 of')")
    assert flags_of(server)[0].label == wanted


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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_violation(desk, theme):
    axe = pytest.importorskip("axe_playwright_python.base")
    desk.open(f"?__theme={theme}")
    desk.page.evaluate(axe.AXE_SCRIPT)
    desk.page.add_style_tag(content="* { transition: none !important }")  # colours on their way are no finding
    for tab in ["Flagged", "My handwriting", "Help", "Draw"]:
        desk.go_to(tab)
        if tab == "Draw":
            desk.draw(SEVEN)
            desk.look_inside()
        violations = desk.page.evaluate("axe.run()")["violations"]
        serious = [v for v in violations if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in serious] == [], json.dumps(tab)


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
            document.querySelector("canvas.pad").dispatchEvent(event);
        }""",
        [how, list(picture)],
    )
