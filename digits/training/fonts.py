"""Fonts of handwriting: free ones, in which training writes words and numbers as people do who are not in MNIST.

Sources, in this order: the user's cache, a host of npm's packages, and the npm client. A file is used and cached only
if it has the known digest (fonts.json). All are published as @fontsource packages under the SIL Open Font License 1.1
or the Apache License 2.0; none is shipped.
"""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from digits.training.data import BROKEN_DOWNLOADS, TIMEOUT, cache_folder, fetch_package, write_aside

DIGESTS: dict[str, str] = json.loads(Path(__file__).with_name("fonts.json").read_text())
"""SHA-256 of the file of each font, by name@version of its package."""

URL = "https://cdn.jsdelivr.net/npm/@fontsource/{package}/files/{file}"
AT_ONCE = 8  # packages that are fetched side by side


def load_fonts() -> int:
    """Put those fonts into the cache that are not there yet; returns how many are there.

    Without any network there may be none: training then makes do with drawn letters and those of matplotlib's fonts.
    """
    for fetch in (_fetch_file, _fetch_package):
        missing = [package for package in DIGESTS if not _path(package).is_file()]
        if missing and _attempt(fetch, missing[0]):  # a host that lacks the first is not asked for the others
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda package, fetch=fetch: _attempt(fetch, package), missing[1:]))
    cached_fonts.cache_clear()
    return len(cached_fonts())


@cache
def cached_fonts() -> tuple[str, ...]:
    """Paths of the fonts in the cache, in the order of their names."""
    return tuple(str(_path(package)) for package in sorted(DIGESTS) if _path(package).is_file())


def _attempt(fetch: Callable[[str], bytes], package: str) -> bool:
    """Fetch a font into the cache; whether it is there now."""
    try:
        content = fetch(package)
    except BROKEN_DOWNLOADS:
        return False
    if hashlib.sha256(content).hexdigest() != DIGESTS[package]:
        return False
    _path(package).parent.mkdir(parents=True, exist_ok=True)
    write_aside(_path(package), content)
    return True


def _fetch_file(package: str) -> bytes:
    with urllib.request.urlopen(URL.format(package=package, file=_file(package)), timeout=TIMEOUT) as response:
        content: bytes = response.read()
        return content


def _fetch_package(package: str) -> bytes:
    (content,) = fetch_package(f"@fontsource/{package}", [f"files/{_file(package)}"])
    return content


def _file(package: str) -> str:
    return f"{package.partition('@')[0]}-latin-400-normal.woff"


def _path(package: str) -> Path:
    return cache_folder().parent / "fonts" / _file(package)
