"""Card: a picture and what was recognised in it, as one image to keep or to pass on."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from digits.recognition import Digit, Recognition

TITLE = "Handwritten Digit Recognition"
SCALE = 2  # drawn so much larger and then reduced: bars and boxes get smooth edges
PICTURE = 360  # pixels: the picture is fitted into a square of this side
ANSWER = 400  # pixels across of the right half
MARGIN = 28
ROW = 34
BAR = 200
MOST_ROWS = 14
TELLING = 0.001  # a rival that is less probable is not worth a bar

INK = "#1f2937"
PALE = "#6b7280"
TRACK = "#e5e7eb"
COLOURS = {"sure": "#2563eb", "unsure": "#b45309", "not a digit": "#6b7280"}

Row = tuple[str, float, str]
"""Text, probability, verdict."""


def draw_card(picture: Image.Image, recognition: Recognition) -> Image.Image:
    """The result card: title; the picture with its boxes on the left; what it is, and how sure, on the right.

    picture: as the viewer sees it, any size. Of one digit the rivals are shown, else each number with the probability
    that it is right. Returns an RGB image.
    """
    rows = _rows(recognition)
    shown = rows[:MOST_ROWS]
    top = 2 * MARGIN + ROW
    height = top + max(PICTURE, ROW * (2 + len(shown) + (len(rows) > MOST_ROWS))) + MARGIN
    card = _Card(PICTURE + ANSWER + 3 * MARGIN, height)
    card.text(MARGIN, MARGIN + ROW // 2, TITLE, PALE, 20)
    card.picture(MARGIN, top, picture, recognition.digits)
    left = PICTURE + 2 * MARGIN
    card.text(left, top + ROW // 2, _headline(recognition), INK, 34, ANSWER)
    for place, row in enumerate(shown):
        card.row(left, top + ROW * (2 + place), row)
    if len(rows) > MOST_ROWS:
        card.text(left, top + ROW * (2 + MOST_ROWS) + ROW // 2, f"and {len(rows) - MOST_ROWS} more", PALE, 16)
    return card.image.resize((card.image.width // SCALE, card.image.height // SCALE), Image.Resampling.LANCZOS)


def _rows(recognition: Recognition) -> list[Row]:
    if len(recognition.digits) == 1 and not recognition.signs:
        (digit,) = recognition.digits
        return [(str(label), p, digit.verdict) for label, p in digit.top(3) if label == digit.label or p >= TELLING]
    return [(number.text, number.confidence, number.verdict) for number in recognition.numbers]


def _headline(recognition: Recognition) -> str:
    if not recognition.digits and not recognition.signs:
        return "Nothing to read"
    if not recognition.text:
        return "Not a digit"
    lines = recognition.lines
    return lines[0] if len(lines) == 1 else f"{len(lines)} lines"


class _Card:
    """The image that grows. All measures are in pixels of the finished card."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), "white")
        self.pen = ImageDraw.Draw(self.image)

    def text(self, left: int, middle: int, text: str, colour: str, size: int, room: float = 10_000) -> None:
        """As large as `size`, or as it has to be to fit into the room."""
        font = ImageFont.load_default(size * SCALE)
        length = self.pen.textlength(text, font)
        if length > room * SCALE:
            font = ImageFont.load_default(size * SCALE * room * SCALE / length)
        self.pen.text((left * SCALE, middle * SCALE), text, colour, font, anchor="lm")

    def picture(self, left: int, top: int, picture: Image.Image, digits: tuple[Digit, ...]) -> None:
        """Centred in its square, a box around each digit."""
        side = PICTURE * SCALE
        scale = min(side / picture.width, side / picture.height)
        size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        x, y = left * SCALE + (side - size[0]) // 2, top * SCALE + (side - size[1]) // 2
        small = picture.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
        self.image.paste(small, (x, y), small)
        frame = (left * SCALE - 2, top * SCALE - 2, left * SCALE + side + 1, top * SCALE + side + 1)
        self.pen.rectangle(frame, outline=TRACK, width=SCALE)
        for digit in digits:
            box = [x + digit.box[0] * scale - 6, y + digit.box[1] * scale - 6]
            box += [x + digit.box[2] * scale + 5, y + digit.box[3] * scale + 5]
            self.pen.rounded_rectangle(box, 8, outline=COLOURS[digit.verdict], width=SCALE)

    def row(self, left: int, top: int, row: Row) -> None:
        """Text, bar and percentage; below sure, the verdict's colour."""
        text, probability, verdict = row
        middle, bar = top + ROW // 2, left + ANSWER - BAR - 84
        self.text(left, middle, text, INK, 20, bar - left - 12)
        self._bar(bar, middle, 1, TRACK)
        if probability * BAR >= 1:
            self._bar(bar, middle, probability, COLOURS[verdict])
        self.text(bar + BAR + 12, middle, _percent(probability), INK, 17)

    def _bar(self, left: int, middle: int, share: float, colour: str) -> None:
        box = [left * SCALE, (middle - 6) * SCALE, (left + share * BAR) * SCALE, (middle + 6) * SCALE]
        self.pen.rounded_rectangle(box, 6 * SCALE, colour)


def _percent(probability: float) -> str:
    return "> 99.9 %" if probability > 0.999 else f"{100 * probability:.1f} %"
