"""Card: a picture and what was recognised in it, as one image to keep or to pass on."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from digits.recognition import Digit, Recognition

PICTURE = 320  # pixels: the picture is fitted into a square of this side
MARGIN = 24
ROW = 26
BAR = 200
MOST_DIGITS = 12

INK = "#1f2937"
PALE = "#6b7280"
TRACK = "#e5e7eb"
COLOURS = {"sure": "#2563eb", "unsure": "#b45309", "not a digit": "#6b7280"}


def draw_card(picture: Image.Image, recognition: Recognition) -> Image.Image:
    """The result card: the picture on the left; the text and the top three of each digit on the right.

    picture: as the viewer sees it, any size. Returns an RGB image.
    """
    shown = recognition.digits[:MOST_DIGITS]
    height = max(PICTURE, ROW * (3 + 4 * len(shown))) + 2 * MARGIN
    card = Image.new("RGB", (PICTURE + BAR + 5 * MARGIN + 100, height), "white")
    _paste_picture(card, picture)
    pen = ImageDraw.Draw(card)
    left, top = PICTURE + 2 * MARGIN, MARGIN
    pen.text((left, top), _headline(recognition), INK, _font(32))
    if any(number.verdict == "unsure" for number in recognition.numbers):
        pen.text((left, top + 40), "unsure", COLOURS["unsure"], _font(14))
    top += 2 * ROW
    for digit in shown:
        _draw_digit(pen, left, top, digit)
        top += 4 * ROW
    if len(recognition.digits) > MOST_DIGITS:
        pen.text((left, top), f"and {len(recognition.digits) - MOST_DIGITS} more digits", PALE, _font(16))
    return card


def _paste_picture(card: Image.Image, picture: Image.Image) -> None:
    small = picture.convert("RGBA")
    small.thumbnail((PICTURE, PICTURE))
    corner = MARGIN + (PICTURE - small.width) // 2, MARGIN + (PICTURE - small.height) // 2
    card.paste(small, corner, small)
    ImageDraw.Draw(card).rectangle((MARGIN - 1, MARGIN - 1, MARGIN + PICTURE, MARGIN + PICTURE), outline=TRACK)


def _headline(recognition: Recognition) -> str:
    if not recognition.digits and not recognition.signs:
        return "Nothing to read"
    text = " / ".join(recognition.lines) or "Not a digit"
    return text if len(text) <= 20 else f"{text[:19]}..."


def _draw_digit(pen: ImageDraw.ImageDraw, left: int, top: int, digit: Digit) -> None:
    for row, (label, probability) in enumerate(digit.top(3)):
        middle = top + row * ROW + ROW // 2
        bar = left + ROW
        pen.text((left, middle), str(label), INK, _font(18), anchor="lm")
        pen.rounded_rectangle((bar, middle - 6, bar + BAR, middle + 6), 6, TRACK)
        if probability * BAR >= 1:
            pen.rounded_rectangle((bar, middle - 6, bar + probability * BAR, middle + 6), 6, COLOURS[digit.verdict])
        pen.text((bar + BAR + 10, middle), f"{100 * probability:.1f} %", INK, _font(16), anchor="lm")
    if digit.verdict != "sure":
        pen.text((left + BAR + ROW + 76, top + ROW // 2), digit.verdict, COLOURS[digit.verdict], _font(14), anchor="lm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
