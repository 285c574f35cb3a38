"""Template: a form that was shown once. Each scan of it is laid onto the first one, and its fields are read by name.

A template is a JSON file: a small picture of the form, and of each field its name, its box in that picture, and what is
known of it (as in digits.fields). A scan is laid on it by what is printed on both: points that look alike (SIFT, Lowe
2004) and the homography that most of them agree on; where there is little but lines, the
cells of the table that is found, or trying turns and sizes. What is
written into the fields counts for nothing. A scan whose print does not agree is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from digits.decode import LARGEST, read_pixels
from digits.errors import DigitsError, PictureError, shown
from digits.fields import Field, fields_of
from digits.files import read_regular, replace_file
from digits.picture import read_grey
from digits.recognition import WORDS, Box, Recognition, Table
from digits.recognizer import Recognizer

SIDE = 1200  # pixels of the longer side of the picture that is kept
MOST_BYTES = 5_000_000  # of a template
MOST_FIELDS = 1_000
COMPARED = 500  # pixels of the longer side at which print is compared
THICK = 0.02  # of the longer side, up to which something dark is print
GRAIN, DARK = 1.2, 40  # pixels by which the grain of paper is blurred; grey level of what is no paper
POINTS = 4_000  # that are looked for
ALIKE = 0.8  # distance of a point to the most similar one, in that to the next, at most
MISSED = 3.0  # pixels by which a point that agrees may miss its place
AGREEING = 20  # points, at least
AROUND = 0.5  # heights of a box, that are read around all of them
INSIDE = 0.12  # of a box's shorter side, from its edge on inward: there is written
SHIFTED = 0.2  # of the sides, by which a first guess may be shifted
ROUGH = 160  # pixels of the longer side at which all turns and sizes are tried
TURNS = range(-12, 13, 2)  # degrees
SIZES = tuple(0.76 * 1.04**step for step in range(13))  # in that which just fits the reference
TRIED = 3  # of all these
BENT = 0.08  # of the longer side, by which corners are moved where the print is made to agree better
FITS, FITS_POINTS, FITS_CELLS = (
    0.5,
    0.2,
    0.3,
)  # correlation of print from which on a scan fits: found by it, points, cells,
CLEARLY = 0.6  # and from which on it is not laid on in other ways, too


@dataclass(frozen=True, eq=False)
class Template:
    """A form.

    reference: (height, width) uint8, its picture, upright. boxes: of its fields, in that picture.
    fields: of each box, its name and what is known of it; their columns count from 1.
    """

    reference: np.ndarray
    boxes: tuple[Box, ...]
    fields: tuple[Field, ...]

    def read(self, recognizer: Recognizer, scan: Any) -> tuple[np.ndarray, Recognition]:
        """A scan as it lies on the template, and what stands in its fields: a table of one row.

        Boxes of the answer are those of the first. Raises PictureError if it is no picture, or not one of this form.
        """
        pixels, _, notes = read_pixels(scan)
        matrix, fit = self.align(recognizer, pixels)
        laid, boxes = self._lay(pixels, matrix)
        found = recognizer.recognize(laid, boxes=boxes)
        said = (*notes, f"laid on the template: {fit:.0%} of the print agree", *found.notes)
        return laid, Recognition(found.digits, said, numbers=found.numbers, tables=found.tables)

    def align(self, recognizer: Recognizer, pixels: np.ndarray) -> tuple[np.ndarray, float]:
        """The (3, 3) homography that takes places of a scan to those of the reference, and how well their print agrees.

        pixels: of the scan, uint8. Raises PictureError if it is not one of this form.
        """
        scan = _print_of(read_grey(pixels)[0])
        best, fit, enough = np.eye(3), -1.0, FITS
        for guess, least in self._guesses(recognizer, pixels, scan):
            settled, how_well = self._settled(scan, guess)
            if how_well - least > fit - enough:
                best, fit, enough = settled, how_well, least
            if fit >= CLEARLY:
                break
        if fit < enough:
            raise PictureError(
                f"The scan does not fit the template: {max(fit, 0):.0%} of the print agree. Expected a picture of the "
                f"same form, all of it, upright, and {enough:.0%}."
            )
        return best, fit

    def _guesses(self, recognizer: Recognizer, pixels: np.ndarray, scan: _Print) -> Iterator[tuple[np.ndarray, float]]:
        """Homographies from the scan to the reference, the surest first, and how well the print must agree."""
        guess = _agreed(scan, self._print)
        if guess is not None:
            yield guess, FITS_POINTS
        guess = self._cell_to_cell(recognizer.recognize(pixels).table)
        if guess is not None:
            yield guess, FITS_CELLS
        yield from ((way, FITS) for way in self._searched(scan))

    def _cell_to_cell(self, table: Table | None) -> np.ndarray | None:
        """The homography that takes the cells of a table to the boxes; None if they are not as many."""
        cells = [cell.box for row in table.rows for cell in row if cell.text != WORDS] if table else []
        if len(cells) != len(self.boxes) or len(cells) < 4:
            return None
        here, there = (
            (sides[:, :2] + sides[:, 2:]) / 2 for sides in (np.array(cells, float), np.array(self.boxes, float))
        )
        matrix: np.ndarray | None = cv2.findHomography(here, there, cv2.LMEDS)[0]
        return matrix

    def _searched(self, scan: _Print) -> list[np.ndarray]:
        """Those of all turns and sizes at which the print agrees best, seen from afar."""
        far = ROUGH / max(self.reference.shape)
        known, mask = (cv2.resize(one, _size(self.reference, far), interpolation=cv2.INTER_AREA) for one in self._sharp)
        seen = cv2.GaussianBlur(scan.image, (0, 0), 0.5 * COMPARED / ROUGH)
        small_mask = (mask > 127).astype(np.uint8)
        height, width = seen.shape
        same = min(known.shape[0] / height, known.shape[1] / width)
        found = []
        for turn in TURNS:
            for size in SIZES:
                way = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), turn, same * size), (0, 0, 1)])
                way = _shift((known.shape[1] - width) / 2, (known.shape[0] - height) / 2) @ way
                moved, fit = _shifted(seen, known, small_mask, way)
                found.append((fit, moved))
        found.sort(key=_first, reverse=True)
        return [_sizing(1 / far) @ moved @ _sizing(scan.scale) for _, moved in found[:TRIED]]

    def _settled(self, scan: _Print, guess: np.ndarray) -> tuple[np.ndarray, float]:
        """A guess, shifted and bent to where the print agrees best; and how well it does, from -1 to 1."""
        known, mask = self._print.image, self._small_mask
        guess = _sizing(self._print.scale) @ guess @ _sizing(1 / scan.scale)
        ways = [guess, _shifted(scan.image, known, mask, guess)[0]]
        ways += [_bent(scan.image, known, mask, way) for way in ways]
        fits = [_correlation(scan.image, known, mask, way) for way in ways]
        best = int(np.argmax(fits))
        return _sizing(1 / self._print.scale) @ ways[best] @ _sizing(scan.scale), fits[best]

    @property
    def _sharp(self) -> tuple[np.ndarray, np.ndarray]:
        """The reference's print, and the mask, as large as it is."""
        return cv2.resize(self._print.image, self.reference.shape[::-1]), self._mask

    @cached_property
    def _print(self) -> _Print:
        return _print_of(self.reference, self._mask)

    @cached_property
    def _mask(self) -> np.ndarray:
        """(height, width) uint8, 255 where nobody writes."""
        mask = np.full(self.reference.shape, 255, np.uint8)
        for left, top, right, bottom in self.boxes:
            rim = round(INSIDE * min(right - left, bottom - top))
            mask[top + rim : bottom - rim, left + rim : right - rim] = 0
        return mask

    @cached_property
    def _small_mask(self) -> np.ndarray:
        """The same, (height, width) uint8, 0 or 1, as large as the print."""
        mask = cv2.resize(self._mask, self._print.image.shape[::-1], interpolation=cv2.INTER_AREA)
        return (mask > 127).astype(np.uint8)

    def _lay(self, pixels: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, list[Box]]:
        """The part of a scan around the boxes, as it lies on the reference but no smaller; and the boxes in it."""
        sides = np.array(self.boxes, float)
        rim = AROUND * float(np.median(sides[:, 3] - sides[:, 1]))
        low, high = sides[:, :2].min(axis=0) - rim, sides[:, 2:].max(axis=0) + rim
        back = np.linalg.inv(matrix)
        here, right, below = _moved((low + high) / 2 + np.array([(0, 0), (1, 0), (0, 1)]), back)
        area = abs(float(np.linalg.det(np.stack([right - here, below - here]))))
        scale = min(area**0.5, LARGEST / float((high - low).max()))
        width, height = np.ceil(scale * (high - low)).astype(int).tolist()
        placed = _sizing(scale) @ _shift(*-low)
        laid = cv2.warpPerspective(pixels, placed @ matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        boxes = _moved(sides.reshape(-1, 2), placed).round().astype(int).reshape(-1, 4).tolist()
        return laid, [(left, top, max(end, left + 1), max(foot, top + 1)) for left, top, end, foot in boxes]


def _first(found: tuple[float, np.ndarray]) -> float:
    return found[0]


def _sizing(scale: float) -> np.ndarray:
    return np.diag([scale, scale, 1.0])


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def _moved(places: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Where places (n, 2) come to lie."""
    return cv2.perspectiveTransform(np.asarray(places, float)[:, None], matrix)[:, 0]


# Print


@dataclass(frozen=True, eq=False)
class _Print:
    """What is darker than the paper around it.

    image: (height, width) uint8, ink = 255, COMPARED pixels on the longer side; scale: of it to the picture.
    places: (n, 2) of points of the picture, looks: (n, 128) float32, how they look.
    """

    image: np.ndarray
    scale: float
    places: np.ndarray
    looks: np.ndarray | None


def _print_of(grey: np.ndarray, mask: np.ndarray | None = None) -> _Print:
    """The print of a picture, (height, width) uint8; points of it where the mask is not 0."""
    scale = min(1.0, SIDE / max(grey.shape))
    small = cv2.GaussianBlur(_resized(grey, scale), (0, 0), GRAIN)
    thick = round(THICK * max(small.shape)) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((thick, thick), np.uint8)).astype(np.float32)
    image = np.clip(800 * (paper - small) / (paper + DARK), 0, 255).astype(np.uint8)
    found, looks = cv2.SIFT.create(POINTS).detectAndCompute(image, mask)
    places = np.array([point.pt for point in found], np.float64).reshape(-1, 2) / scale
    compared = _resized(image, COMPARED / max(image.shape))
    return _Print(compared, COMPARED / max(grey.shape), places, looks)


def _size(image: np.ndarray, scale: float) -> tuple[int, int]:
    """Width and height of an image made so many times as large."""
    return max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0]))


def _resized(image: np.ndarray, scale: float) -> np.ndarray:
    return cv2.resize(image, _size(image, scale), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _agreed(scan: _Print, known: _Print) -> np.ndarray | None:
    """The homography from one to the other on which most points that look alike agree; None if too few do."""
    if scan.looks is None or known.looks is None or min(len(scan.looks), len(known.looks)) < AGREEING:
        return None
    pairs = cv2.BFMatcher().knnMatch(scan.looks, known.looks, 2)
    alike = [best for best, other in pairs if best.distance < ALIKE * other.distance]
    if len(alike) < AGREEING:
        return None
    here = scan.places[[match.queryIdx for match in alike]]
    there = known.places[[match.trainIdx for match in alike]]
    matrix, agree = cv2.findHomography(here, there, cv2.USAC_MAGSAC, MISSED, maxIters=5_000, confidence=0.999)
    return matrix if matrix is not None and np.count_nonzero(agree) >= AGREEING else None


def _middles(table: Table) -> np.ndarray:
    """(n, 2) the middles of a table's cells, row by row."""
    boxes = np.array([cell.box for row in table.rows for cell in row], float)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _shifted(image: np.ndarray, known: np.ndarray, mask: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """The same homography, shifted to where the print agrees best, and how well it does."""
    height, width = known.shape
    room = round(SHIFTED * max(height, width))
    around = cv2.warpPerspective(image, _shift(room, room) @ matrix, (width + 2 * room, height + 2 * room))
    fits = np.nan_to_num(cv2.matchTemplate(around, known, cv2.TM_CCOEFF_NORMED, mask=mask), posinf=-1, neginf=-1)
    _, fit, _, (x, y) = cv2.minMaxLoc(fits)
    return _shift(room - x, room - y) @ matrix, fit


def _bent(image: np.ndarray, known: np.ndarray, mask: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The homography near this one at which print agrees best (ECC, Evangelidis and Psarakis 2008), if there is one."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    for blur in (25, 9):  # pixels
        laid = cv2.warpPerspective(image, matrix, known.shape[::-1])
        still = np.eye(3, dtype=np.float32)
        try:
            step = cv2.findTransformECC(laid, known, still, cv2.MOTION_HOMOGRAPHY, criteria, mask, blur)[1]
        except cv2.error:  # it did not converge
            continue
        if _is_near(step, known.shape):
            matrix = step.astype(np.float64) @ matrix
    return matrix


def _is_near(step: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Does a homography leave the corners of a picture of this shape nearly where they are?"""
    height, width = shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    return bool(np.abs(_moved(corners, step) - corners).max() < BENT * max(shape))


def _correlation(image: np.ndarray, known: np.ndarray, mask: np.ndarray, matrix: np.ndarray) -> float:
    """Of the print where nobody writes, in [-1, 1]; both a little blurred, as no paper lies quite flat."""
    laid = cv2.warpPerspective(image, matrix, known.shape[::-1])
    here, there = (cv2.GaussianBlur(one, (0, 0), 1.5)[mask > 0].astype(np.float64) for one in (laid, known))
    if here.size == 0 or min(here.std(), there.std()) == 0:
        return -1.0
    return float(np.corrcoef(here, there)[0, 1])


# Making, saving, loading


def make_template(
    recognizer: Recognizer,
    picture: Any,
    described: Sequence[Mapping[str, Any]] | None = None,
    columns: Sequence[Field] = (),
) -> Template:
    """A template from a picture of the form.

    described: of each field its "box" in pixels of the picture, which stands upright, its "name" and what else is known
    of it, as in digits.fields.Field. If None, the cells of the table that is found; those in which words stand are none
    of the fields. columns: what is known of that table's columns, or of the described fields in their order. Raises
    PictureError, also if there is no table; DigitsError if that is no description.
    """
    pixels, scale, _ = read_pixels(picture)
    if described is None:
        table = _table_of(recognizer, pixels)
        pixels, boxes = _level_table(pixels, table)
        described, scale, columns = _described_cells(table, boxes, columns), 1.0, ()
    grey = read_grey(pixels)[0]
    smaller = min(1.0, SIDE / max(grey.shape))
    return _described(_resized(grey, smaller), described, smaller / scale, columns)


def _table_of(recognizer: Recognizer, pixels: np.ndarray) -> Table:
    table = recognizer.recognize(pixels).table
    if table is None:
        raise PictureError(
            "No table was found in the picture. Expected one, ruled or with numbers in rows and columns; or name the "
            "boxes of the form's fields in a JSON file."
        )
    return table


def _described_cells(table: Table, boxes: np.ndarray, columns: Sequence[Field]) -> list[dict[str, Any]]:
    """The cells of a table as fields: those without words, row by row. boxes: (rows, columns, 4)."""
    places = [tuple(place) for place in np.argwhere(np.array(table.texts) != WORDS).tolist()]
    known = {field.column - 1: _known(field) for field in columns}
    described = []
    for row, column in places:
        one = {"name": f"r{row + 1}c{column + 1}", "box": boxes[row, column].tolist(), **known.get(column, {})}
        if "sum" in one:
            first, last = one.pop("sum")
            added = [number for number, (r, c) in enumerate(places, 1) if r == row and first - 1 <= c <= last - 1]
            one |= {"sum": (added[0], added[-1])} if added else {}
        described.append(one)
    return described


def _known(field: Field) -> dict[str, Any]:
    """What is known of a column, whichever it is and whatever it is called."""
    return {
        name: value for name, value in asdict(field).items() if value is not None and name not in ("column", "name")
    }


def _level_table(pixels: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """The picture with the table level and rectangular, and the boxes of its cells in it, (rows, columns, 4)."""
    rows, columns = np.shape(table.texts)
    sides = np.array([cell.box for row in table.rows for cell in row], float)
    middles = (sides[:, :2] + sides[:, 2:]) / 2
    matrix, size, turn = _levelling(middles.reshape(rows, columns, 2), pixels.shape)
    level, near = _moved(middles, matrix), _moved(middles + np.array([1, 0]), matrix)
    wide, tall = (sides[:, 2:] - sides[:, :2]).T  # around a cell that is turned
    cosine, sine = np.cos(turn), abs(np.sin(turn))
    extent = np.stack([wide * cosine - tall * sine, tall * cosine - wide * sine], axis=1) / np.cos(2 * turn)
    extent *= np.linalg.norm(near - level, axis=1)[:, None]
    boxes = np.hstack([level - extent / 2, level + extent / 2])
    laid = cv2.warpPerspective(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return laid, boxes.reshape(rows, columns, 4)


def _levelling(middles: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, int], float]:
    """The homography that makes a rectangle of the middles of a table's cells, the size of the picture that it gives,
    and by how many radians the table is turned.

    middles: (rows, columns, 2). shape: of the picture.
    """
    if min(middles.shape[:2]) == 1:
        return np.eye(3), (shape[1], shape[0]), 0.0
    corners = middles[[0, 0, -1, -1], [0, -1, -1, 0]]
    across = (corners[1] - corners[0] + corners[2] - corners[3]) / 2
    down = (corners[3] - corners[0] + corners[2] - corners[1]) / 2
    wide, tall = np.linalg.norm(across), np.linalg.norm(down)
    level = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall)])
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), level.astype(np.float32))
    seen = _moved(np.array([(0, 0), (shape[1], 0), (shape[1], shape[0]), (0, shape[0])]), matrix)
    low, high = np.maximum(seen.min(axis=0), -wide - tall), np.minimum(seen.max(axis=0), 2 * (wide + tall))
    width, height = np.minimum(np.ceil(high - low), LARGEST).astype(int).tolist()
    return _shift(*-low) @ matrix, (width, height), float(np.arctan2(across[1], across[0]))


def save_template(template: Template, path: Path) -> None:
    """Write a template as a JSON file. Raises OSError."""
    replace_file(path, write_template(template).encode())


def write_template(template: Template) -> str:
    """A template as the content of its file."""
    picture = cv2.imencode(".jpg", template.reference, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    known = [
        {"name": field.name, "box": box, **_known(field)}
        for field, box in zip(template.fields, template.boxes, strict=True)
    ]
    lines = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in known)
    return f'{{"fields": [\n  {lines}\n ],\n "picture": "{base64.b64encode(picture).decode()}"}}\n'


def load_boxes(path: Path) -> list[dict[str, Any]]:
    """The description of fields from a JSON file. Raises DigitsError, OSError."""
    try:
        described = json.loads(read_regular(path, MOST_BYTES))
    except ValueError as error:
        raise DigitsError(f"{shown(path)} is no JSON file: {shown(str(error))}.") from error
    return described if isinstance(described, list) else [described]


def load_template(path: Path) -> str:
    """The content of a template's file, found to be one. Raises DigitsError, OSError."""
    text = read_regular(path, MOST_BYTES).decode("utf-8", "replace")
    try:
        parse_template(text)
    except DigitsError as error:
        raise DigitsError(f"{shown(path)} is no template: {error}") from error
    return text


def parse_template(text: str) -> Template:
    """A template from the content of its file. Raises DigitsError."""
    try:
        content = json.loads(text)
        picture = base64.b64decode(content["picture"], validate=True)
        described = content["fields"]
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise DigitsError(
            f'{shown(repr(error))}. Expected a JSON file as `digits template` writes it, with "fields" and "picture".'
        ) from error
    return _described(read_grey(picture)[0], described, 1.0)


def _described(reference: np.ndarray, described: Any, scale: float, columns: Sequence[Field] = ()) -> Template:
    """A template of these fields, their boxes so many times as large. Raises DigitsError if they are no such fields.

    columns: what else is known of them, by their places.
    """
    told = {field.column: _known(field) for field in columns}
    try:
        boxes = [_box(one, scale, reference.shape) for one in described]
        known = fields_of(
            [
                {key: value for key, value in one.items() if key != "box"} | told.get(place, {})
                for place, one in enumerate(described, 1)
            ]
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, re.error) as error:
        raise DigitsError(
            f"The fields are not described: {shown(repr(error))}. Expected a list of objects as in "
            '[{"name": "Age", "box": [left, top, right, bottom], "low": 0, "high": 120}].'
        ) from error
    if not 0 < len(boxes) <= MOST_FIELDS:
        raise DigitsError(f"The form has {len(boxes):,} fields. Expected 1 to {MOST_FIELDS:,}.")
    _check_names([field.name for field in known])
    return Template(reference, tuple(boxes), tuple(replace(one, column=place) for place, one in enumerate(known, 1)))


def _check_names(names: Sequence[Any]) -> None:
    """Raises DigitsError if a field has no name of its own."""
    for place, name in enumerate(names, 1):
        if not isinstance(name, str) or not name.strip():
            raise DigitsError(f"Field {place} has no name.")
        if name in names[: place - 1]:
            raise DigitsError(f"Fields {names.index(name) + 1} and {place} have the same name.")


def _box(one: Mapping[str, Any], scale: float, shape: tuple[int, ...]) -> Box:
    left, top, right, bottom = (scale * float(side) for side in one["box"])
    height, width = shape
    box = max(0, round(left)), max(0, round(top)), min(width, round(right)), min(height, round(bottom))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError(f"the box {one['box']} has no place in the picture")
    return box
