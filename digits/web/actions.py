"""Actions: what the page can ask of the server. Each is called from the browser with plain JSON and answers with it.

A drawing travels as a PNG in a data URL. An uploaded picture travels once (routes.py), and is named by its id from then
on; so is whatever was read. What goes wrong on purpose (a DigitsError) comes back as {"error": sentence}.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypedDict

import numpy as np
from PIL import Image

from digits.decode import as_png, decode
from digits.errors import DigitsError, FlagsError, PictureError, shown
from digits.fields import Field, parse_column
from digits.flags import Flag, FlagStore, Summary
from digits.pages import count_pages
from digits.recognition import Digit, Recognition
from digits.recognizer import Recognizer
from digits.sheets import as_tables, write_xlsx
from digits.template import make_template, write_template
from digits.web.answer import Json, as_answer
from digits.web.card import draw_card
from digits.web.checked import checked
from digits.web.explain import occlusion_map, paint_map
from digits.web.shelf import ForgottenError, Kept, Shelf, data_url, encode
from digits.web.teacher import Teacher

LARGEST_UPLOAD = 25_000_000  # bytes
LARGEST_SIDE = 1600  # pixels of an uploaded picture on the pad: digits stay legible, answers stay quick
SHEET = 60  # flags that are shown at a time
THUMBNAIL = 400  # pixels
DELETED_KEPT = 20  # flags that can be brought back
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

KINDS: dict[str, Callable[[Summary], bool]] = {
    "all": lambda flag: True,
    "wrong": lambda flag: flag.label is not None and flag.label != flag.predicted,
    "right": lambda flag: flag.label == flag.predicted,
    "unsure": lambda flag: flag.unsure,
    "no label": lambda flag: flag.label is None,
}


class NamedBox(TypedDict):
    """A field of a form as it was drawn: its box in pixels of the picture, left, top, right, bottom."""

    name: str
    box: list[int]


class Actions:
    """recognizer: answers. flags: where flagged pictures are kept. own: the page is for this computer alone."""

    def __init__(self, recognizer: Recognizer, flags: FlagStore, own: bool = True) -> None:
        self.recognizer = recognizer
        self.flags = flags
        self.teacher = Teacher(recognizer.classifier.path, flags.folder, own)
        self._deleted: deque[tuple[Flag, bytes]] = deque(maxlen=DELETED_KEPT)
        self.shelf = Shelf()

    def keep_picture(self, content: bytes) -> Json:
        """Keep a picture that the browser has made fit for the pad; returns its id. Raises PictureError."""
        decode(content)
        return {"id": self.shelf.put(Kept(content))}

    def open_picture(self, content: bytes) -> Json:
        """Keep a picture that the browser cannot open: upright, small enough for the pad, white where transparent.

        Of a file of several pages it is the first.
        """
        pages = count_pages(content)
        image = decode(content)
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), reducing_gap=2)
        opaque = Image.new("RGB", image.size, "white")
        opaque.paste(image.convert("RGB"), mask=image.convert("RGBA").getchannel("A"))
        shown = encode(opaque)
        kept = Kept(shown, notes=(f"the first of {pages} pages",) if pages > 1 else ())
        return {"id": self.shelf.put(kept), "picture": data_url(shown)}

    def recognize(self, strokes: str | None, picture: str | None) -> Json:
        """What stands in a drawing, in the kept picture of that id, or in what is drawn on it."""
        drawn = _bytes_of(strokes) if strokes else b""
        base = self.shelf.get(picture) if picture else None
        sent = replace(base, strokes=drawn) if base else Kept(drawn)
        model = self._model
        recognition = self.recognizer.recognize(sent.image() if sent.strokes else sent.picture)
        recognition = replace(recognition, notes=(*sent.notes, *recognition.notes))
        id = self.shelf.put(replace(sent, recognition=recognition, model=model))
        return {"id": id, "model": model[:8], **as_answer(recognition)}

    def look_inside(self, id: str, index: int) -> Json:
        """The 28x28 that the network saw of the digit with this index, and which parts of it decided."""
        digit = self._digit(id, index)
        image = digit.image.astype(np.float32) / 255
        influence = occlusion_map(self.recognizer.classifier, image, digit.label)
        return {
            "label": digit.label,
            "seen": data_url(as_png(Image.fromarray(255 - digit.image))),
            "decided": data_url(as_png(paint_map(image, influence))),
        }

    def make_card(self, id: str) -> Json:
        """The result card: the picture and its answers."""
        return {"card": data_url(as_png(draw_card(self.shelf.get(id).image(), self._read(id)[0])))}

    def enter_tables(self, id: str, known: list[str], typed: dict[str, str]) -> Json:
        """The tables again, with what is known of their columns and what a person has written into cells.

        known: as in digits.fields.parse_column. typed: texts by "table-row-column", from 0.
        """
        fields, texts = _fields(known), _by_table(typed)
        return {"tables": as_tables(self._read(id)[0], fields, typed=texts)}

    def make_workbook(self, id: str, known: list[str], typed: dict[str, str]) -> Json:
        """The same as a workbook, with those cells in colour that are still to be checked."""
        fields, texts = _fields(known), _by_table(typed)
        tables = as_tables(self._read(id)[0], fields, self.shelf.get(id).image(), texts)
        file = io.BytesIO()
        write_xlsx([{"picture": "", "tables": tables, "error": None}], file)
        return {"workbook": data_url(file.getvalue(), WORKBOOK)}

    def make_template(self, id: str, known: list[str], fields: list[NamedBox] | None = None) -> Json:
        """A template, to read other pictures of the same form by (digits/template.py).

        fields: of the form; if None, the cells of the first table. known: of the fields in their order, or of the
        table's columns.
        """
        template = make_template(self.recognizer, self.shelf.get(id).image(), fields, _fields(known))
        return {"template": data_url(write_template(template).encode(), "application/json")}

    def flag(self, id: str, label: str) -> Json:
        """Keep the picture with its true label; `saved` is "right" or "wrong"."""
        return self._flag(self.shelf.get(id).file(), *self._read(id), label)

    def flag_cell(self, id: str, table: int, row: int, column: int, label: str) -> Json:
        """Keep the picture of one cell of a table with its true text, as `flag` keeps all of it."""
        recognition, model = self._read(id)
        try:
            cell = recognition.tables[table].rows[row][column]
        except IndexError as error:
            raise PictureError(f"There is no cell {row + 1}, {column + 1} in table {table + 1}.") from error
        return self._flag(encode(self.shelf.get(id).image().crop(cell.box)), cell.alone(), model, label)

    def _flag(self, picture: bytes, recognition: Recognition, model: str, label: str) -> Json:
        began = datetime.now(UTC).isoformat(timespec="milliseconds")
        flag = self.flags.add(picture, recognition, label, model)
        return {
            "id": flag.id,
            "new": flag.time >= began,  # the same picture with the same label is kept once
            "label": flag.label,
            "saved": "right" if flag.label == flag.predicted else "wrong",
        }

    def save_sample(self, picture: str, label: str) -> Json:
        """Keep a sample of someone's hand: the whole picture is one digit."""
        content, model = _bytes_of(picture), self._model
        recognition = self.recognizer.recognize(content, single=True)
        return {"id": self.flags.add(content, recognition, label, model).id, "read": recognition.text}

    def list_flags(self, kind: str, label: str, start: int) -> Json:
        """A sheet of flags, newest first, and how many there are.

        kind: one of KINDS. label: only those whose true label contains it. start: how many are shown already.
        """
        flags = self.flags.summaries()
        chosen = [flag for flag in flags if KINDS.get(kind, KINDS["all"])(flag) and label in (flag.label or "")]
        shown = chosen[start : start + SHEET]
        return {"flags": [_row_of(flag) for flag in shown], "chosen": len(chosen), "total": len(flags)}

    def relabel(self, id: str, label: str) -> Json:
        """Give a flag another label."""
        flag = self.flags.relabel(id, label)
        return {"label": flag.label}

    def delete_flag(self, id: str) -> Json:
        """Remove a flag and its picture; restore_flag brings it back for a while."""
        flag = self.flags.get(id)
        self._deleted.append((flag, flag.picture_path.read_bytes()))
        self.flags.delete(id)
        return {}

    def restore_flag(self, id: str) -> Json:
        """Undo a deletion; the flag has another id from then on."""
        for flag, picture in self._deleted:
            if flag.id == id:
                return {"id": self.flags.add(picture, flag.recognition, flag.label, flag.model_digest).id}
        raise FlagsError("It was deleted too long ago to be brought back.")

    def flag_picture(self, id: str, whole: bool) -> bytes:
        """The picture of a flag as a file, small or whole. Raises FlagsError."""
        path = self.flags.get(id).picture_path
        if whole:
            return path.read_bytes()
        small = decode(path).convert("RGB")
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        return encode(small)

    def teach(self) -> Json:
        """Have the model learn from the flagged pictures."""
        return self.teacher.teach()

    def lesson(self) -> Json:
        """How far that is."""
        return self.teacher.progress()

    def roll_back(self) -> Json:
        """Put the model in service that was before."""
        return self.teacher.roll_back()

    @property
    def _model(self) -> str:
        return self.recognizer.classifier.digest

    def _read(self, id: str) -> tuple[Recognition, str]:
        """What was read in a picture, and by which model."""
        kept = self.shelf.get(id)
        if kept.recognition is None:
            raise ForgottenError("The picture was not read yet. Draw or upload it again.")
        return kept.recognition, kept.model

    def _digit(self, id: str, index: int) -> Digit:
        digits = self._read(id)[0].digits
        if not 0 <= index < len(digits):
            raise PictureError(f"There is no digit number {index + 1} in this picture. It has {len(digits)}.")
        return digits[index]


def for_page(action: Callable[..., Json]) -> Callable[[Json], Json]:
    """The action as a function that Gradio lets the browser call, with one object that holds its arguments."""

    def call(arguments: Json) -> Json:
        return answered(action, **checked(action, arguments))

    call.__name__ = action.__name__
    return call


def answered(action: Callable[..., Json], *arguments: object, **named: object) -> Json:
    """What the action answers, or why it does not."""
    try:
        return action(*arguments, **named)
    except DigitsError as error:
        return {"error": str(error), "forgotten": isinstance(error, ForgottenError)}


def _fields(known: list[str]) -> list[Field]:
    return [parse_column(column) for column in known]


def _by_table(typed: dict[str, str]) -> dict[int, dict[tuple[int, int], str]]:
    """Texts by "table-row-column" as texts by row and column, by table. Raises PictureError."""
    tables: defaultdict[int, dict[tuple[int, int], str]] = defaultdict(dict)
    for place, text in typed.items():
        if not re.fullmatch(r"\d{1,4}-\d{1,4}-\d{1,4}", place):
            raise PictureError(f"No cell is named {shown(place)}. Expected its table, row and column, from 0: 0-2-1.")
        if not text.isprintable():
            raise PictureError(f"A cell holds digits and signs. Received: {shown(text)}.")
        table, row, column = map(int, place.split("-"))
        tables[table][row, column] = text
    return tables


def _bytes_of(url: str) -> bytes:
    """The content of a data URL. Raises PictureError if it is none, or is too large."""
    if not url.startswith("data:") or "," not in url:
        raise PictureError(f"No picture was received. Expected a data URL. Received: {url[:40]!r}.")
    if len(url) > LARGEST_UPLOAD * 1.4:
        raise PictureError(f"The picture is too large. At most {LARGEST_UPLOAD / 1e6:.0f} MB can be read.")
    try:
        return base64.b64decode(url.partition(",")[2], validate=True)
    except binascii.Error as error:
        raise PictureError(f"No picture was received: its base64 is damaged ({error}).") from error


def _row_of(flag: Summary) -> Json:
    return {"id": flag.id, "time": flag.time, "label": flag.label, "predicted": flag.predicted, "unsure": flag.unsure}
