"""Flags: pictures that a person marked right or wrong, kept as a labelled image data set.

The folder has the layout that the image-folder reader of Hugging Face datasets loads
(https://huggingface.co/docs/datasets/image_dataset#imagefolder):

    flagged/metadata.jsonl      one line a flag: file_name, label, what was predicted, 28x28 images, boxes, ...
    flagged/images/ID.png       the picture as it was handed in

A flag counts from the moment that its line is written. The picture is in place before, so a line always has its
picture; a line that was cut short by a kill was never acknowledged and is taken back.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import secrets
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import digits
from digits.decode import as_png, format_of
from digits.errors import FlagsError, PictureError, shown
from digits.files import replace_file, sole_writer
from digits.recognition import Box, Digit, Recognition, verdict_of

FOLDER_LIMIT = 1_000_000_000  # bytes
PICTURE_LIMIT = 25_000_000  # bytes
LABEL_LIMIT = 200  # characters
LABEL_SIGNS = "0123456789.,-/:+=%?"


@dataclass(frozen=True, eq=False)
class Flag:
    """One flagged picture.

    id: 16 hexadecimal digits, for life.
    time: when it was flagged, ISO 8601, UTC.
    label: the true text, digits and signs, line by line; "" if no digit stands there; None if nobody has said yet.
    predicted: the text that was recognised.
    picture_path: the picture as handed in.
    recognition: the digits that were found, with their boxes, 28x28 images and probabilities.
    model_digest, version: which model and which release of this program answered.
    """

    id: str
    time: str
    label: str | None
    predicted: str
    picture_path: Path
    picture_sha256: str
    recognition: Recognition
    model_digest: str
    version: str

    @property
    def images(self) -> np.ndarray:
        """(n, 28, 28) uint8, ink = 255: what the network saw."""
        return np.array([digit.image for digit in self.recognition.digits], np.uint8).reshape(-1, 28, 28)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """(left, top, right, bottom) of each digit in the picture."""
        return tuple(digit.box for digit in self.recognition.digits)

    @property
    def probabilities(self) -> np.ndarray:
        """(n, 10) float32 in [0, 1]: what was predicted for each digit."""
        return np.array([digit.probabilities for digit in self.recognition.digits], np.float32).reshape(-1, 10)


@dataclass(frozen=True)
class Summary:
    """A flag without what was recognised: quick to read, for lists. unsure: not all digits were sure."""

    id: str
    time: str
    label: str | None
    predicted: str
    unsure: bool
    picture_path: Path


class FlagStore:
    """A folder of flags; many threads and processes may use it at once.

    folder: where the flags are; made at the first flag. It may be moved or copied: all paths in it are relative.
    limit: how many bytes the pictures and what is known of them may take together.

    Opening a store mends what a killed program left behind; `mended` says what was done. Every method raises
    FlagsError if the folder cannot be read or written.
    """

    def __init__(self, folder: str | Path = "flagged", limit: int = FOLDER_LIMIT) -> None:
        self.folder = Path(folder)
        self.limit = limit
        self.mended = self.mend() if self._metadata.exists() else ()

    def check(self) -> None:
        """Find out whether flags can be kept here, before anybody makes one."""
        place = next(place for place in (self.folder, *self.folder.absolute().parents) if place.exists())
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise FlagsError(
                f"Flags cannot be kept in {self.folder}: {error.strerror}. Expected a folder that this program may "
                "write to. Name another one with --flagged."
            ) from error

    def add(self, picture: bytes, recognition: Recognition, label: str | None, model_digest: str) -> Flag:
        """Keep one picture with what was recognised in it; it is safely on disk when this returns.

        picture: the file as handed in (PNG, JPEG, ...).
        label: the true text; the predicted text if it was right; None if unknown.
        A picture that is here already with the same label is not kept twice: its flag is returned.
        """
        label, suffix = _checked_label(label), _checked_picture(picture)
        digest = hashlib.sha256(picture).hexdigest()
        with self._locked():
            for row in self._rows(containing=digest):
                if row["label"] == label:
                    return self._flag(row)
            id = secrets.token_hex(8)
            row = _row(f"images/{id}{suffix}", id, digest, recognition, label, model_digest)
            self._check_room(len(picture) + len(_line(row)))
            self._images.mkdir(exist_ok=True)
            replace_file(self.folder / row["file_name"], picture)
            self._append(row)
            return self._flag(row)

    def flags(self) -> list[Flag]:
        """All flags, newest first."""
        if not self._metadata.exists():
            return []
        with self._locked():
            return [self._flag(row) for row in self._rows()][::-1]

    def summaries(self) -> list[Summary]:
        """What there is, newest first."""
        if not self._metadata.exists():
            return []
        with self._locked():
            return [self._summary(row) for row in self._rows()][::-1]

    def get(self, id: str) -> Flag:
        """The flag of that id."""
        if self._metadata.exists():
            with self._locked():
                for row in self._rows(containing=id):
                    if row["id"] == id:
                        return self._flag(row)
        raise FlagsError(f"No flag {shown(id, 40)} in {self.folder}. See what there is with: digits flags list")

    def relabel(self, id: str, label: str | None) -> Flag:
        """Say what the picture truly shows."""
        label = _checked_label(label)
        self.get(id)
        with self._locked():
            self._rewrite({**row, "label": label} if row["id"] == id else row for row in self._rows())
        return self.get(id)

    def delete(self, id: str) -> None:
        """Remove a flag and its picture."""
        flag = self.get(id)
        with self._locked():
            flag.picture_path.unlink(missing_ok=True)  # first: what a kill leaves is a line, not a private picture
            self._rewrite(row for row in self._rows() if row["id"] != id)

    def export(self, zip_path: str | Path) -> Path:
        """Write metadata.jsonl and images/ into a new zip file, which datasets loads as it is."""
        zip_path = Path(zip_path)
        partial = zip_path.with_name(f"{zip_path.name}.partial")
        with self._locked(), zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ["metadata.jsonl", *(row["file_name"] for row in self._rows())]:
                archive.write(self.folder / name, name)
        partial.replace(zip_path)
        return zip_path

    def mend(self) -> tuple[str, ...]:
        """Put the folder in order after a kill, a full disk or an edit by hand; returns what was done, in words.

        Nothing is thrown away: damaged lines and pictures without a line go into the hidden folder `.aside`.
        """
        done = []
        with self._locked():
            good, bad = self._sorted_lines()
            if bad:
                self._set_aside_lines(bad)
                replace_file(self._metadata, b"".join(good))
                done.append(f"{len(bad)} damaged lines or lines without a picture were set aside")
            strays = self._stray_pictures({json.loads(line)["file_name"] for line in good})
            for stray in strays:
                stray.replace(self._aside / stray.name)
            if strays:
                done.append(f"{len(strays)} pictures that were never acknowledged were set aside")
        return tuple(done)

    @property
    def _metadata(self) -> Path:
        return self.folder / "metadata.jsonl"

    @property
    def _images(self) -> Path:
        return self.folder / "images"

    @property
    def _aside(self) -> Path:
        aside = self.folder / ".aside"
        aside.mkdir(exist_ok=True)
        return aside

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with sole_writer(self.folder):
                self._mend_last_line()
                yield
        except OSError as error:
            raise FlagsError(
                f"The folder of flags {self.folder} cannot be used: {error}. Expected a folder that this program may "
                "write to, with room on its disk."
            ) from error

    def _mend_last_line(self) -> None:
        """Take back a last line that was cut short: it was never acknowledged, and its picture is set aside later."""
        if not self._metadata.exists():
            return
        with self._metadata.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            if file.read(1) in (b"\n", b""):
                return
            file.seek(0)
            end = file.read().rfind(b"\n") + 1
            file.seek(end)
            if _json_object(file.read()):  # whole: only its newline is missing
                file.write(b"\n")
            else:
                file.truncate(end)

    def _append(self, row: dict[str, Any]) -> None:
        with self._metadata.open("ab") as file:
            file.write(_line(row))
            file.flush()
            os.fsync(file.fileno())

    def _rewrite(self, rows: Iterator[dict[str, Any]]) -> None:
        replace_file(self._metadata, b"".join(_line(row) for row in rows))

    def _rows(self, containing: str = "") -> Iterator[dict[str, Any]]:
        """The rows whose line contains the text, oldest first."""
        if not self._metadata.exists():
            return
        with self._metadata.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if containing in line:
                    yield self._parsed(number, line)

    def _parsed(self, number: int, line: str) -> dict[str, Any]:
        row = _json_object(line)
        if row is None or not row.keys() >= _COLUMNS:
            raise FlagsError(
                f"Line {number} of {self._metadata} is no flag: expected a JSON object with {', '.join(_COLUMNS)}. "
                "If this program wrote it and it was damaged since, mend it with: digits flags mend"
            )
        return row

    def _flag(self, row: dict[str, Any]) -> Flag:
        columns = zip(row["probabilities"], row["boxes"], row["images"], row["lines"], strict=True)
        return Flag(
            id=row["id"],
            time=row["time"],
            label=row["label"],
            predicted=row["predicted"],
            picture_path=self.folder / row["file_name"],
            picture_sha256=row["picture_sha256"],
            recognition=Recognition(
                tuple(
                    Digit(np.array(probabilities, np.float32), tuple(box), _decoded(image), line)
                    for probabilities, box, image, line in columns
                )
            ),
            model_digest=row["model_digest"],
            version=row["version"],
        )

    def _summary(self, row: dict[str, Any]) -> Summary:
        unsure = any(verdict_of(sum(of_digit), max(of_digit)) == "unsure" for of_digit in row["probabilities"])
        path = self.folder / row["file_name"]
        return Summary(row["id"], row["time"], row["label"], row["predicted"], unsure, path)

    def _check_room(self, more: int) -> None:
        used = sum(entry.stat().st_size for entry in os.scandir(self._images)) if self._images.exists() else 0
        used += self._metadata.stat().st_size if self._metadata.exists() else 0
        if used + more > self.limit:
            raise FlagsError(
                f"The folder of flags {self.folder} is full: {used / 1e6:.1f} MB, at most "
                f"{self.limit / 1e6:.1f} MB. Export it (digits flags export) and delete what you no longer need."
            )

    def _sorted_lines(self) -> tuple[list[bytes], list[bytes]]:
        """The lines that are whole and have their picture, and the others."""
        good: list[bytes] = []
        bad: list[bytes] = []
        for line in self._metadata.read_bytes().splitlines(keepends=True):
            row = _json_object(line)
            whole = row is not None and (self.folder / str(row.get("file_name"))).is_file()
            (good if whole else bad).append(line)
        return good, bad

    def _set_aside_lines(self, lines: list[bytes]) -> None:
        with (self._aside / "lines.jsonl").open("ab") as file:
            file.writelines(lines)

    def _stray_pictures(self, known: set[str]) -> list[Path]:
        """Pictures, whole or half written, that bear a name of ours and belong to no line."""
        if not self._images.exists():
            return []
        return [
            path
            for path in self._images.iterdir()
            if _OUR_PICTURE.fullmatch(path.name) and f"images/{path.name}" not in known
        ]


class DropBox(FlagStore):
    """A store that visitors may put flags into, but not look through: for a page that other computers can reach.

    Whoever has made a flag knows its id, and may change or delete it by that.
    """

    def flags(self) -> list[Flag]:
        """Raises FlagsError."""
        raise FlagsError(_CLOSED)

    def summaries(self) -> list[Summary]:
        """Raises FlagsError."""
        raise FlagsError(_CLOSED)

    def export(self, zip_path: str | Path) -> Path:
        """Raises FlagsError."""
        raise FlagsError(_CLOSED)


_CLOSED = (
    "Flagged pictures are not shown to other computers: they are other people's. Whoever runs this program sees them "
    "with digits flags list, or starts it with --shared-flags to let everybody see and change them."
)
_COLUMNS = {
    *("file_name", "id", "time", "label", "predicted", "picture_sha256", "model_digest", "version"),
    *("probabilities", "boxes", "images", "lines"),
}
_OUR_PICTURE = re.compile(r"\.?[0-9a-f]{16}\.[a-z]+(\.tmp)?")


def _row(
    file_name: str, id: str, digest: str, recognition: Recognition, label: str | None, model_digest: str
) -> dict[str, Any]:
    found = recognition.digits
    return {
        "file_name": file_name,
        "id": id,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "label": label,
        "predicted": recognition.text,
        "probabilities": [[round(float(p), 6) for p in digit.probabilities] for digit in found],
        "boxes": [[int(edge) for edge in digit.box] for digit in found],
        "images": [_encoded(digit.image) for digit in found],
        "lines": [int(digit.line) for digit in found],
        "picture_sha256": digest,
        "model_digest": model_digest,
        "version": digits.__version__,
    }


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _json_object(line: str | bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _encoded(image: np.ndarray) -> str:
    """A 28x28 image as base64 of a PNG: it travels in the line, so image and label cannot part."""
    return base64.b64encode(as_png(Image.fromarray(image))).decode()


def _decoded(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))), np.uint8)


def _checked_label(label: str | None) -> str | None:
    if label is None:
        return None
    if len(label) > LABEL_LIMIT:
        raise FlagsError(f"A label has at most {LABEL_LIMIT} characters. Received: {len(label):,}.")
    lines = [" ".join(line.split()) for line in label.splitlines()]
    if not set("".join(lines)) <= {*LABEL_SIGNS, " "}:
        raise FlagsError(
            f"A label is made of the digits 0 to 9 and the signs {' '.join(LABEL_SIGNS[10:])} of numbers, or is "
            f"empty if no digit is there. Received: {shown(label, 40)!r}."
        )
    return "\n".join(line for line in lines if line)


def _checked_picture(picture: bytes) -> str:
    """The file ending that fits the picture's format."""
    if len(picture) > PICTURE_LIMIT:
        raise FlagsError(f"The picture is too large to keep: {len(picture)} bytes, at most {PICTURE_LIMIT}.")
    try:
        return f".{format_of(picture).lower()}"
    except PictureError as error:
        raise FlagsError(f"Only a picture can be flagged, and this is none: {error}") from error
