"""Ask OSV (osv.dev) for known vulnerabilities of every pinned package: python docs/vulnerabilities.py

    python docs/vulnerabilities.py requirements.txt requirements-dev.txt

Prints a line for each. Exit code: 0 if none is known, 1 if one is, 2 if the database cannot be reached, which is no
verdict. Names and versions of the packages are sent, and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
DATABASE = os.environ.get("DIGITS_OSV", "https://api.osv.dev")
MOST = 1000  # packages that one question may name


def main() -> None:
    """Ask, print, exit."""
    files = [Path(name) for name in sys.argv[1:]] or [ROOT / "requirements.txt"]
    packages = sorted({package for file in files for package in PINNED.findall(file.read_text("utf-8"))})
    try:
        known = find_vulnerabilities(packages)
    except (URLError, TimeoutError) as error:
        print(
            f"{DATABASE} cannot be reached ({error}): nothing was learned about {len(packages)} packages. Try again "
            "where the internet is.",
            file=sys.stderr,
        )
        sys.exit(2)
    for (name, version), ids in known.items():
        print(f"{name} {version}: {', '.join(f'https://osv.dev/vulnerability/{id}' for id in ids)}")
    print(f"{len(packages)} packages, of which {len(known)} have known vulnerabilities.")
    sys.exit(1 if known else 0)


def find_vulnerabilities(packages: list[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """For each (name, version) that has any, the ids of its vulnerabilities. Raises URLError, TimeoutError."""
    known = {}
    for start in range(0, len(packages), MOST):
        asked = packages[start : start + MOST]
        queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in asked]
        request = Request(f"{DATABASE}/v1/querybatch", json.dumps({"queries": queries}).encode())
        with urlopen(request, timeout=30) as answer:
            results = json.load(answer)["results"]
        for package, result in zip(asked, results, strict=True):
            if ids := [found["id"] for found in result.get("vulns", [])]:
                known[package] = ids
    return known


if __name__ == "__main__":
    main()
