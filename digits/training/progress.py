"""Progress: whatever takes more than a moment says how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")

QUIET = 10  # seconds between two lines where there is no terminal


def tracked(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    """The items, one after the other; standard error shows how many are done.

    On a terminal that is a bar with the time left, which goes when all are done; elsewhere, as in a log, a line every
    ten seconds.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        yield from track(items, what, total, console=console, transient=True)
    else:
        yield from _told(items, what, total)


def _told(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    told = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        if time.monotonic() - told >= QUIET:
            told = time.monotonic()
            print(f"{what}: {done:,} of {total:,}", file=sys.stderr, flush=True)
