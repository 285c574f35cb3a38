"""Pages: of files that hold several pictures, PDF and TIFF, each page is a picture."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from digits.apart import draw_apart
from digits.errors import PictureError
from digits.formats import FORMATS, apart_format

SEVERAL = (".pdf", *FORMATS["TIFF"].endings)
"""How the names of files end that may have several pages."""

MOST_PAGES = 2_000  # of a file


@dataclass(frozen=True)
class Page:
    """A page of a file, which is read as any picture is.

    file: a path, or the bytes of a file; of a format that has no pages, all of it is page 1. number: from 1.
    """

    file: str | os.PathLike[str] | bytes
    number: int


def count_pages(data: bytes) -> int:
    """How many pages a file has, of which at most MOST_PAGES are counted in a TIFF. Raises PictureError."""
    if apart_format(data) == "PDF":
        return draw_apart(data, "PDF", 0)[2]
    return tiff_of_page(data, 1)[1]


def check_page(number: int, pages: int) -> None:
    """Raises PictureError if a file of so many pages has no page of that number."""
    if not 1 <= number <= pages:
        raise PictureError(f"There is no page {number}. Expected one of 1 to {pages}.")


def tiff_of_page(data: bytes, number: int) -> tuple[bytes, int]:
    """The same file, in a TIFF with the page of that number first if there is one; and how many pages it has."""
    places = _directories(data) if data.startswith(FORMATS["TIFF"].heads) else []
    if not 1 < number <= len(places):
        return data, max(1, len(places))
    order, big = _kind(data)
    at, wide = (8, 8) if big else (4, 4)
    return data[:at] + places[number - 1].to_bytes(wide, order) + data[at + wide :], len(places)


def _directories(data: bytes) -> list[int]:
    """Where the directory of each page begins; one names the next (TIFF 6.0, section 2; BigTIFF has wider numbers)."""
    order, big = _kind(data)
    wide, counted, entry = (8, 8, 20) if big else (4, 2, 12)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    places: dict[int, None] = {}
    place = number(8 if big else 4, wide)
    while 0 < place < len(data) and place not in places and len(places) < MOST_PAGES + 1:
        places[place] = None
        place = number(place + counted + entry * number(place, counted), wide)
    return list(places)


def _kind(data: bytes) -> tuple[Literal["little", "big"], bool]:
    """The order of its bytes, and whether it is a BigTIFF."""
    return ("little" if data.startswith(b"II") else "big"), data[2:4] in (b"+\0", b"\0+")
