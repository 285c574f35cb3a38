"""Shelf: the pictures that the page asked about lately, so that each travels once."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections import OrderedDict
from dataclasses import dataclass

from PIL import Image

from digits.decode import decode
from digits.errors import DigitsError
from digits.recognition import Recognition

ROOM = 60_000_000  # bytes of pictures: a hundred photos, or some thousand drawings
LARGEST_PNG = 400_000  # bytes; a photo takes less as a JPEG


class ForgottenError(DigitsError):
    """The picture is not here any more; the page sends it again by itself."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A picture that was sent.

    picture: the bytes of its file. strokes: a PNG of the same size, transparent but where something was drawn on it.
    recognition, model: once it was read, what stands in it, and the model that said so.
    notes: in plain words, what of the file that was sent it is.
    """

    picture: bytes
    strokes: bytes = b""
    recognition: Recognition | None = None
    model: str = ""
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """It follows from the content: what is sent again has the same."""
        return hashlib.sha256(self.picture + self.strokes).hexdigest()[:32]

    def image(self) -> Image.Image:
        """As the viewer sees it."""
        image = decode(self.picture)
        if self.strokes:
            strokes = decode(self.strokes).convert("RGBA").resize(image.size)
            image = Image.alpha_composite(image.convert("RGBA"), strokes).convert("RGB")
        return image

    def file(self) -> bytes:
        """The same as the bytes of a file."""
        return encode(self.image()) if self.strokes else self.picture


class Shelf:
    """Those asked for longest ago make room. Safe among threads."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._used = 0
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, kept: Kept) -> str:
        """Keep a picture; returns its id."""
        id = kept.id
        with self._lock:
            self._take(id)
            self._kept[id] = kept
            self._used += _size(kept)
            while self._used > self._room and len(self._kept) > 1:
                self._take(next(iter(self._kept)))
        return id

    def get(self, id: str) -> Kept:
        """The picture of that id. Raises ForgottenError."""
        with self._lock:
            if id not in self._kept:
                raise ForgottenError("The picture is not known any more. Draw or upload it again.")
            self._kept.move_to_end(id)
            return self._kept[id]

    def _take(self, id: str) -> None:
        taken = self._kept.pop(id, None)
        self._used -= _size(taken) if taken else 0


def encode(image: Image.Image) -> bytes:
    """A file of the image: PNG while it is small, else JPEG."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)  # quick before small
    if file.tell() > LARGEST_PNG:
        file = io.BytesIO()
        image.convert("RGB").save(file, "JPEG", quality=92)
    return file.getvalue()


def data_url(file: bytes, kind: str | None = None) -> str:
    """A file as a data URL. kind: its media type; if None, it is a PNG or JPEG."""
    kind = kind or ("image/png" if file.startswith(b"\x89PNG") else "image/jpeg")
    return f"data:{kind};base64,{base64.b64encode(file).decode()}"


def _size(kept: Kept) -> int:
    return len(kept.picture) + len(kept.strokes)
