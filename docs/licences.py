"""List the licence of every package that the program needs, as installed: python docs/licences.py

Prints a Markdown table; exits 1 if a licence is unknown or is not one of those that go with this program's.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
FITTING = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|HPND|Unlicense|Zlib|CC0|0BSD|Public Domain|Boost",
    re.IGNORECASE,
)


def main() -> None:
    """Print the table."""
    names = sorted(set(PINNED.findall((ROOT / "requirements.txt").read_text("utf-8"))), key=str.lower)
    print("| package | version | licence |\n|---|---|---|")
    odd = []
    for name in names:
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # of another platform
        licence = licence_of(package)
        print(f"| {name} | {package.version} | {licence} |")
        if not FITTING.search(licence):
            odd.append(name)
    if odd:
        sys.exit(f"Unknown or unfitting licences: {', '.join(odd)}. Look at them, and add to FITTING or replace.")


def licence_of(package: Distribution) -> str:
    """By its SPDX expression, else its classifiers, else the first line of what it says itself."""
    said = package.metadata
    classifiers = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier", []) if "License ::" in line]
    free = (said.get("License") or "").strip().split("\n")[0][:60]
    return said.get("License-Expression") or ", ".join(classifiers) or free or "unknown"


if __name__ == "__main__":
    main()
