"""Ink: what the pen has left, told from the paper by a network, whatever the paper.

The network sees best where a pen is some pixels wide. So a picture is first looked at from afar, and then closer, until
its pens are wide enough. A clean pad (one shade of paper) takes a shorter way: there, the shade of a pixel alone tells
how much ink it has, exactly; the network is asked only if something may be ruled, and of nothing but what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from digits.classifier import open_network
from digits.light import Light, find_small
from digits.normalise import pen_width
from digits.patch import edge_shade, show_patch_alone
from digits.recognition import Box
from digits.straight import LONGER, with_straight_strokes, without_straight_rests
from digits.turn import SEEN, find_slope, turn

SHIPPED_INK_MODEL = Path(__file__).with_name("ink.onnx")
MULTIPLE = 32  # the sides of what the network is given are multiples of it
INK, RULES, LINES = 0, 1, 2  # maps of the network
FLATTEST = 6.0  # grey levels: paper that varies less is not made to look rough
FLAT = 4  # grey levels that a clean pad may vary by
EDGE, ALL = 0.6, 0.5  # share of a clean pad's edge, and of all of it, that is paper: a number may be cut closely,
TIGHT, LEAST = 300, 0.3  # and a digit even more so: up to so many pixels of the longer side, that is enough of both
FAINTEST = 16  # grey levels below which there is nothing to see on a clean pad
FAR, CLOSEST = 96, 3000  # pixels of the longer side: of the first look, and at most
CLOSEST_EMPTY = 2000  # the same, as long as nothing was seen,
EMPTIER = 4.0  # and how many times closer the next look is then
MOST_ENLARGED = 2.0  # scale of the closest look
TRUSTED = 0.25  # share of what may be ink that surely is, from which on nothing is looked for elsewhere
MUDDY, BRIGHTER = 0.5, 0.15  # clarity below which a picture is seen in even light, and by which that must be clearer
MOST_AGAIN = 1_500_000  # pixels at which something is looked at again closer
SLIMMEST = 0.7  # width of a closer look in its heights, and the reverse, if there is room: a 1 alone looks ruled
AROUND, BESIDE, MUCH = 0.1, 16, 0.5  # room around what is looked at closer: of its sides, and pixels; of the picture
CLEAR, WANTED = 3.5, 5.0  # pixels that a pen is wide: enough not to look closer, and what a closer look is to give it
ASKEW = 5.0  # degrees that lines of writing slope; less is how people write
SLENDER = 6  # times as long as wide, and LONGER than the digits are high: such a stroke may be a ruled line
DASHES = 2  # such strokes that are all there is: a dash, or an equals sign
WIDEST, GAP = 0.4, 0.06  # width of a pen, and a gap in what it covers, in sides of all that is drawn with it
FAINT, SURE = 0.3, 0.9  # from which on something may be there, and surely is
KEPT = 0.95  # what is nowhere surer than this is no ink
CLEARER = 0.05  # of what may be ink, by which more must be sure for it to be light ink on dark paper
ROOM = 64  # pixels that the network is given on each side at least
TILE, SEAM = 640, 64  # pixels of what the network is given at once, and by which neighbours overlap
UNEVEN = 0.25  # of the lightest paper, by which a shade is darker
EVENED_OUT = "uneven paper: shading removed"


@dataclass(frozen=True, eq=False)
class Look:
    """What the network is shown of a picture, and at which size.

    view: (height, width) uint8 grey, ink dark, part of the picture or of its negative; left, top: where it lies in the
    picture; scale: at which it is shown; dark: the ink is dark there; level: it is known to be level; even: its light
    was made even; certain: the ink is known to be dark in the view, as on a clean pad; pad: as the view, what is drawn
    on such a pad; None of all others.
    """

    view: np.ndarray
    left: int
    top: int
    scale: float
    dark: bool
    level: bool
    even: bool = False
    certain: bool = False
    pad: np.ndarray | None = None

    @cached_property
    def seen(self) -> np.ndarray:
        """The view as it is shown, uint8."""
        return _resize(self.view, self.scale)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told of it."""
        return () if self.dark else ("dark background: inverted",)

    def part(self, box: Box) -> Look:
        """A look at a part of the view."""
        x, y, end, foot = box
        pad = None if self.pad is None else self.pad[y:foot, x:end]
        return replace(self, view=self.view[y:foot, x:end], left=self.left + x, top=self.top + y, pad=pad)

    def negative(self) -> Look:
        """Light ink on dark paper as dark ink, or the reverse."""
        return replace(self, view=~self.view, dark=not self.dark)


@dataclass(frozen=True, eq=False)
class Ink:
    """What is on a picture.

    ink: (height, width) float32 in [0, 1], ink = 1, lines level; to_picture: (2, 3) matrix from its places (x, y, 1) to
    those of the picture; notes: in plain words what was done to see it; rules: the printed lines, as the ink; look: how
    the network looked at it; both are None of a clean pad; clarity: share in [0, 1] of what may be ink that surely is,
    0 if it is no pen's.
    """

    ink: np.ndarray
    to_picture: np.ndarray
    notes: tuple[str, ...]
    rules: np.ndarray | None = None
    look: Look | None = None
    clarity: float = 1.0

    @property
    def scale(self) -> float:
        """Pixels of the picture for one of its pixels."""
        return float(np.hypot(*self.to_picture[:, 0]))

    def turned(self, slope: float) -> Ink:
        """Turned so that lines that run down to the right by so many degrees are level."""
        ink, back = turn(self.ink, slope)
        to_picture = self.to_picture @ np.vstack([back, (0, 0, 1)])
        rules = None if self.rules is None else turn(self.rules, slope)[0]
        notes = (*self.notes, f"askew: turned by {-slope:.0f} degrees")
        return replace(self, ink=ink, to_picture=to_picture, notes=notes, rules=rules)

    def turned_by_quarters(self, quarters: int) -> Ink:
        """Turned by so many quarters to the left."""
        back = _back(self.ink.shape, quarters)
        turn = {1: "on its left side", 2: "upside down", 3: "on its right side"}[quarters]
        ink = _rotate(self.ink, quarters)
        rules = None if self.rules is None else _rotate(self.rules, quarters)
        notes = (*self.notes, f"{turn}: turned upright")
        return replace(self, ink=ink, to_picture=self.to_picture @ back, notes=notes, rules=rules)


class InkReader:
    """The ink network, ready to look. Many threads may use one reader.

    model: an .onnx file as digits.training.ink writes it. Raises ModelError if it is missing or another.
    """

    def __init__(self, model: Path = SHIPPED_INK_MODEL) -> None:
        self._session = open_network(model, "ink", ("n", "h", "w", 3))
        self._name = self._session.get_inputs()[0].name

    def find(self, grey: np.ndarray, level: bool = False) -> Ink:
        """Tell the ink of a picture from its paper.

        grey: (height, width) uint8, ink dark or light. level: the picture is known to be level, and is not turned.
        """
        patch = show_patch_alone(grey)
        grey = grey if patch is None else patch
        look = _on_clean_pad(_from_afar(grey, level))
        if look.pad is not None and _stands_free(look.pad):
            return Ink(look.pad, np.eye(2, 3), look.notes)
        return self._find_on_paper(grey, look)

    def _find_on_paper(self, grey: np.ndarray, look: Look) -> Ink:
        """What is muddled is looked at where something small stands out, or in even light, if that is clearer."""
        found, light, level = self._look(look), Light(grey), look.level
        for find in (self._find_small, self._find_in_even_light):
            if _is_muddy(found, light) and (other := find(light, level)) and other.clarity > found.clarity + BRIGHTER:
                found = other
        return found

    def _find_small(self, light: Light, level: bool) -> Ink | None:
        """Only what stands out of a large page; None if nothing does, or all over it."""
        box = find_small(light.grey)
        if box is None:
            return None
        left, top, right, bottom = box
        return self._look(replace(_from_afar(light.grey[top:bottom, left:right], level), left=left, top=top))

    def look_again(self, ink: Ink, times: float) -> Ink | None:
        """Look at the same part of the picture so many times closer, or from farther away if that is below 1.

        None if it cannot be seen any closer, or there was nothing to look at: on a clean pad ink is what it is.
        """
        look = ink.look
        if look is None:
            return None
        pixels = look.view.size * (look.scale * times) ** 2
        if times > 1 and pixels > MOST_AGAIN:
            return None
        again = replace(look, scale=times * look.scale)
        return _found(again, self.maps(standardise(again.seen)))

    def look_from_side(self, ink: Ink, quarters: int) -> Ink:
        """Turn it by so many quarters to the left, and look again: the network knows lines that are level best."""
        turned, look = ink.turned_by_quarters(quarters), ink.look
        if look is None:
            return turned
        pad = None if look.pad is None else _rotate(look.pad, quarters)
        upright = replace(look, view=_rotate(look.view, quarters), left=0, top=0, pad=pad)
        found = _found(upright, self.maps(standardise(upright.seen)))
        moved = np.array([[1, 0, look.left], [0, 1, look.top]], float) @ _back(look.view.shape, quarters)
        to_picture = moved @ np.vstack([found.to_picture, (0, 0, 1)])
        return replace(found, to_picture=to_picture, notes=tuple(dict.fromkeys((*turned.notes, *found.notes))))

    def find_in_even_light(self, grey: np.ndarray) -> Ink | None:
        """The same without shadows and a desk (digits/light.py), as dark ink or light; None if light is even already.

        grey: as of `find`.
        """
        return self._find_in_even_light(Light(grey), level=False)

    def _find_in_even_light(self, light: Light, level: bool) -> Ink | None:
        if not light.is_uneven:
            return None
        found = self._look(replace(_from_afar(light.even_out(), level), even=True, certain=light.lies_on_a_desk))
        if not light.lies_on_a_desk:
            negative = Light(~light.grey).even_out()
            as_light = self._look(replace(_from_afar(negative, level), dark=False, even=True))
            found = as_light if as_light.clarity > found.clarity else found
        return replace(found, notes=tuple(dict.fromkeys((*found.notes, EVENED_OUT))))

    def _look(self, look: Look) -> Ink:
        """From afar, then closer where something is, until the pens are wide enough."""
        longest = max(look.view.shape)
        look, maps = self._look_from_afar(look)
        while (closer := _closer(maps[..., INK], look.scale, longest)) > look.scale:
            if _share_of_sure(maps[..., INK]) >= TRUSTED:
                x, y, end, foot = _around_ink(maps[..., [INK, RULES]].max(axis=-1), look.view.shape, look.scale)
                look = look.part((x, y, end, foot))
            look = replace(look, scale=closer)
            maps = self.maps(standardise(look.seen))
        return _found(look, maps)

    def _look_from_afar(self, look: Look) -> tuple[Look, np.ndarray]:
        """A look at the picture, or at its negative if that has clearer ink; and the maps of it."""
        dark = self.maps(standardise(look.seen))
        if look.certain:
            return look, dark
        light = self.maps(standardise(~look.seen))
        if _clarity(light[..., INK]) > _clarity(dark[..., INK]) + CLEARER:
            return look.negative(), light
        return look, dark

    def maps(self, seen: np.ndarray) -> np.ndarray:
        """What is on a standardised picture, (h, w) float32: (h, w, 3) float32 in [0, 1], INK, RULES and LINES."""
        maps = np.empty((*seen.shape, 3), np.float32)
        for rows, columns in _tiles(seen.shape):
            around = [slice(max(part.start - SEAM, 0), part.stop + SEAM) for part in (rows, columns)]
            found = self._run(seen[around[0], around[1]])
            top, left = rows.start - around[0].start, columns.start - around[1].start
            view = maps[rows, columns]
            view[:] = found[top : top + view.shape[0], left : left + view.shape[1]]
        return maps

    def _run(self, tile: np.ndarray) -> np.ndarray:
        height, width = tile.shape
        top, left = (max(0, ROOM - side) // 2 for side in (height, width))
        if top or left:  # a digit that was cut to its ink needs paper around it, or it looks like a ruled line
            paper = float(np.percentile(tile, 90))
            tile = cv2.copyMakeBorder(tile, top, top, left, left, cv2.BORDER_CONSTANT, value=paper)
        below, right = -tile.shape[0] % MULTIPLE, -tile.shape[1] % MULTIPLE
        padded = cv2.copyMakeBorder(tile, 0, below, 0, right, cv2.BORDER_REPLICATE)
        answer: np.ndarray = self._session.run(None, {self._name: padded[None, ..., None]})[0][0]
        return answer[top : top + height, left : left + width]


def _is_muddy(found: Ink, light: Light) -> bool:
    """May it be no ink? On a sheet that lies on a desk ink is dark."""
    is_light = found.look is not None and not found.look.dark
    return found.clarity < MUDDY or (is_light and light.lies_on_a_desk)


def _from_afar(grey: np.ndarray, level: bool) -> Look:
    return Look(grey, 0, 0, FAR / max(grey.shape), dark=True, level=level)


def _rotate(picture: np.ndarray, quarters: int) -> np.ndarray:
    """Turned by so many quarters to the left."""
    return np.ascontiguousarray(np.rot90(picture, quarters))


def _back(shape: tuple[int, ...], quarters: int) -> np.ndarray:
    """(3, 3) matrix from places in a picture that was turned by so many quarters to the left to those before."""
    height, width = shape
    back: np.ndarray = np.eye(3)
    for _ in range(quarters):
        back = back @ np.array([[0, -1, width], [1, 0, 0], [0, 0, 1]], float)
        width, height = height, width
    return back


def _found(look: Look, maps: np.ndarray) -> Ink:
    """What was found at a look, with its lines level."""
    if look.pad is not None:
        _keep_to_drawn(maps, _resize(look.pad, look.scale))
    maybe = maps[..., INK]
    ink, rules = with_straight_strokes(without_unsure(maybe), maybe, maps[..., RULES])
    ink, rules = without_straight_rests(ink, rules, look.seen)
    to_picture = np.array([[1 / look.scale, 0, look.left], [0, 1 / look.scale, look.top]])
    notes = (*look.notes, *_notes(look.seen, maps))
    found = Ink(ink, to_picture, notes, rules, look, _clarity(maps[..., INK]))
    slope = 0.0 if look.level else find_slope(ink, maps[..., LINES])
    return found if abs(slope) < ASKEW else found.turned(slope)


def _keep_to_drawn(maps: np.ndarray, drawn: np.ndarray) -> None:
    """Change the maps of a clean pad: nothing is ink but what is drawn, and that is ink if it is not ruled."""
    maps[..., INK] = np.maximum(maps[..., INK] * np.clip(2 * drawn, 0, 1), drawn - maps[..., RULES])


def _closer(ink: np.ndarray, scale: float, longest: int) -> float:
    """The scale to look at next; the same if the pens are wide enough, or it cannot get any better.

    scale: of `ink` to the picture; longest: side of the picture.
    """
    sure = without_unsure(ink)
    if not sure.any():
        return max(scale, min(EMPTIER * scale, MOST_ENLARGED, CLOSEST_EMPTY / longest))
    pen = pen_width(sure)
    if pen >= CLEAR:
        return scale
    x, y, end, foot = _around_ink(ink, ink.shape, 1.0)
    return max(scale, min(scale * WANTED / pen, MOST_ENLARGED, scale * CLOSEST / max(end - x, foot - y)))


def _around_ink(ink: np.ndarray, shape: tuple[int, ...], scale: float) -> Box:
    """Where in a picture of this shape something may be written, with room around it; all of it if that is much of it.

    scale: of `ink` to the picture.
    """
    left, top, width, height = (round(side / scale) for side in cv2.boundingRect((ink > FAINT).view(np.uint8)))
    room = AROUND * max(width, height) + BESIDE / scale
    across, down = (
        round(room + max(0.0, SLIMMEST * longer - side) / 2) for side, longer in ((width, height), (height, width))
    )
    x, y, end, foot = max(left - across, 0), max(top - down, 0), left + width + across, top + height + down
    end, foot = min(end, shape[1]), min(foot, shape[0])
    if not width or (end - x) * (foot - y) > MUCH * shape[0] * shape[1]:
        return 0, 0, shape[1], shape[0]
    return x, y, end, foot


def standardise(grey: np.ndarray) -> np.ndarray:
    """A picture's grey, (h, w) uint8, with mean 0 and deviation 1, float32."""
    mean, deviation = cv2.meanStdDev(grey)
    return (grey.astype(np.float32) - float(mean[0, 0])) / max(float(deviation[0, 0]), FLATTEST)


def _resize(grey: np.ndarray, scale: float) -> np.ndarray:
    size = max(1, round(scale * grey.shape[1])), max(1, round(scale * grey.shape[0]))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    height, width = shape
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            yield slice(top, min(top + TILE, height)), slice(left, min(left + TILE, width))


def _on_clean_pad(look: Look) -> Look:
    """The look at a whole picture, with what is drawn on it, as dark ink, if its paper is of one shade."""
    grey = look.view
    paper, share = edge_shade(grey, FLAT)
    of_edge, of_all = (EDGE, ALL) if max(grey.shape) > TIGHT else (LEAST, LEAST)
    if share < of_edge:
        return look
    difference = cv2.absdiff(grey, np.full_like(grey, paper))  # one number would do, but for 4 pixels in a column
    darkest, lightest = paper - int(grey.min()), int(grey.max()) - paper
    if min(darkest, lightest) > FLAT or np.count_nonzero(difference <= FLAT) < of_all * grey.size:
        return look
    full = max(darkest, lightest)
    ink = difference.astype(np.float32) / full if full >= FAINTEST else np.zeros(grey.shape, np.float32)
    return replace(look.negative() if lightest > FLAT else look, certain=True, pad=ink)


def _stands_free(ink: np.ndarray) -> bool:
    """Is nothing on a clean pad that could be a frame or a ruled line?"""
    inked = (ink > FAINT).view(np.uint8)
    x, y, across, down = cv2.boundingRect(inked)
    if not across:
        return True
    contours, tree = cv2.findContours(inked[y : y + down, x : x + across], cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) == 1:
        return True
    parents = tree[0, :, 3]
    if ((parents >= 0) & (parents[parents] >= 0)).any():  # the contour of something in a hole of something else
        return False
    outer = [cv2.boundingRect(contours[place]) for place in np.flatnonzero(parents < 0).tolist()]
    width, height = np.array(outer)[:, 2:].T
    if width.max() > 0.9 * ink.shape[1]:
        return False
    tall = median(height[height >= 0.5 * height.max()].tolist())
    level = (width > SLENDER * height) & (width > LONGER * tall)
    upright = (height > SLENDER * width) & (height > LONGER * tall)
    if level.all() and len(outer) <= DASHES:
        return True
    return not (level | upright).any()


def _clarity(ink: np.ndarray) -> float:
    """1 where all ink is clear, 0 where there is none, or what is no pen's: a sheet on a desk, a shadow."""
    sure = _share_of_sure(ink)
    scale = min(1.0, FAR / max(ink.shape))
    small = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else ink
    return 0.0 if sure and _is_sheet((small > SEEN).view(np.uint8)) else sure


def _share_of_sure(ink: np.ndarray) -> float:
    """Share of what may be ink that surely is."""
    return float(ink[ink > SURE].sum() / max(float(ink[ink > FAINT].sum()), 1e-6))


def without_unsure(ink: np.ndarray) -> np.ndarray:
    """Without what may be ink but nowhere surely is: blots of JPEG, stains, the back's writing.

    Hysteresis (Canny 1986): what may be ink is kept where it holds together with what surely is.
    """
    _, labels = cv2.connectedComponents((ink > FAINT).view(np.uint8), connectivity=8)
    sure = np.zeros(labels.max() + 1, bool)
    sure[labels[ink > KEPT]] = True
    sure[0] = False
    return ink * sure[labels]


def _is_sheet(inked: np.ndarray) -> bool:
    """Is part of it as wide as no pen is?"""
    _, _, *sides = cv2.boundingRect(inked)
    side, gap = (max(3, round(share * max(sides))) for share in (WIDEST, GAP))
    closed = cv2.morphologyEx(inked, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    return bool(cv2.erode(closed, np.ones((side, side), np.uint8), borderValue=0).any())


def _notes(grey: np.ndarray, maps: np.ndarray) -> Iterator[str]:
    """What was done to see the ink."""
    there, ruled = maps[..., INK] > SEEN, maps[..., RULES] > SEEN
    paper = grey[~(there | ruled)]
    shades = np.percentile(paper, (2, 98)) if paper.size else np.ones(2)
    if shades[0] < (1 - UNEVEN) * shades[1]:
        yield EVENED_OUT
    if np.count_nonzero(ruled) > max(ruled.shape):
        yield "ruled lines removed"
