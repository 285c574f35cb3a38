"""Actions: what the page can ask of the server. Each is called from the browser with plain JSON and answers with it.

A picture travels as a data URL. What goes wrong on purpose (a DigitsError) comes back as {"error": sentence}.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from PIL import Image

from digits.decode import decode
from digits.errors import DigitsError, PictureError
from digits.flags import Flag, FlagStore
from digits.recognition import Digit, Recognition
from digits.recognizer import Recognizer
from digits.rows import as_row
from digits.web.card import draw_card
from digits.web.checked import checked
from digits.web.explain import occlusion_map, paint_map

Json = dict[str, Any]

LARGEST_UPLOAD = 25_000_000  # bytes
LARGEST_SIDE = 1600  # pixels of an uploaded picture on the pad: digits stay legible, answers stay quick
NEWEST_FLAGS = 200  # as many are shown
THUMBNAIL = 160


class Actions:
    """recognizer: answers. flags: where flagged pictures are kept."""

    def __init__(self, recognizer: Recognizer, flags: FlagStore) -> None:
        self.recognizer = recognizer
        self.flags = flags

    def recognize(self, picture: str) -> Json:
        """What stands in the picture."""
        return {**as_row("", self.recognizer.recognize(_bytes_of(picture))), "model": self._model[:8]}

    def open_picture(self, picture: str) -> Json:
        """An uploaded picture, upright and small enough for the pad, on white where it is transparent."""
        image = decode(_bytes_of(picture))
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), reducing_gap=2)
        opaque = Image.new("RGB", image.size, "white")
        opaque.paste(image.convert("RGB"), mask=image.convert("RGBA").getchannel("A"))
        return {"picture": data_url(opaque)}

    def look_inside(self, picture: str, index: int) -> Json:
        """The 28x28 that the network saw of the digit with this index, and which parts of it decided."""
        digit = self._digit(_bytes_of(picture), index)
        image = digit.image.astype(np.float32) / 255
        influence = occlusion_map(self.recognizer.classifier, image, digit.label)
        return {
            "label": digit.label,
            "seen": data_url(Image.fromarray(255 - digit.image)),
            "decided": data_url(paint_map(image, influence)),
        }

    def make_card(self, picture: str) -> Json:
        """The result card: the picture and its answers."""
        content = _bytes_of(picture)
        return {"card": data_url(draw_card(decode(content), self.recognizer.recognize(content)))}

    def flag(self, picture: str, label: str) -> Json:
        """Keep the picture with its true label."""
        began = datetime.now(UTC).isoformat(timespec="milliseconds")
        content = _bytes_of(picture)
        flag = self._add(content, self.recognizer.recognize(content), label)
        verdict = "right" if flag.label == flag.predicted else "wrong"
        new = flag.time >= began  # the same picture with the same label is kept once
        saved = "Saved" if new else "Already saved"
        return {"id": flag.id, "new": new, "sentence": f"{saved} as {verdict}, labelled {_said(flag.label)}."}

    def save_sample(self, picture: str, label: str) -> Json:
        """Keep a sample of someone's hand: the whole picture is one digit."""
        content = _bytes_of(picture)
        return {"id": self._add(content, self.recognizer.recognize(content, single=True), label).id}

    def list_flags(self) -> Json:
        """The newest flags and how many there are."""
        flags = self.flags.flags()
        return {"flags": [_row_of(flag) for flag in flags[:NEWEST_FLAGS]], "total": len(flags)}

    def relabel(self, id: str, label: str) -> Json:
        """Give a flag another label."""
        return _row_of(self.flags.relabel(id, label))

    def delete_flag(self, id: str) -> Json:
        """Remove a flag and its picture."""
        self.flags.delete(id)
        return {}

    @property
    def _model(self) -> str:
        return self.recognizer.classifier.digest

    def _digit(self, picture: bytes, index: int) -> Digit:
        digits = self.recognizer.recognize(picture).digits
        if not 0 <= index < len(digits):
            raise PictureError(f"There is no digit number {index + 1} in this picture. It has {len(digits)}.")
        return digits[index]

    def _add(self, picture: bytes, recognition: Recognition, label: str) -> Flag:
        return self.flags.add(picture, recognition, label, self._model)


def for_page(action: Callable[..., Json]) -> Callable[[Json], Json]:
    """The action as a function that Gradio lets the browser call, with one object that holds its arguments."""

    def call(arguments: Json) -> Json:
        try:
            return action(**checked(action, arguments))
        except DigitsError as error:
            return {"error": str(error)}

    call.__name__ = action.__name__
    return call


def data_url(image: Image.Image) -> str:
    """The image as a PNG in a data URL."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)  # it goes over loopback: quick before small
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


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


def _row_of(flag: Flag) -> Json:
    return {
        "id": flag.id,
        "time": flag.time,
        "label": flag.label,
        "predicted": flag.predicted,
        "thumbnail": _thumbnail(flag),
    }


def _thumbnail(flag: Flag) -> str:
    small = decode(flag.picture_path).convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return data_url(small)


def _said(label: str | None) -> str:
    return label.replace("\n", " / ") if label else "no digit"
