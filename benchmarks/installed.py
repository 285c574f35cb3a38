"""What packages take on disk, with all that they need: python installed.py rapidocr onnxruntime

Prints a JSON object: megabytes, and versions, the version of each package that was named and is there. Run it with the
Python of the environment that is asked about; only the standard library is imported here.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9._-]+")


def main() -> None:
    named = sys.argv[1:]
    found = find(named)
    size = sum(path.stat().st_size for package in found.values() for path in _files(package))
    versions = {name: found[_key(name)].version for name in named if _key(name) in found}
    print(json.dumps({"megabytes": size / 1e6, "versions": versions}))


def find(named: list[str]) -> dict[str, Distribution]:
    """The packages and all that they need; what is needed on other systems only is not there, and left out."""
    found: dict[str, Distribution] = {}
    left = list(named)
    while left:
        name = left.pop()
        if _key(name) in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        found[_key(name)] = package
        needed = [need for need in package.requires or () if not re.search(r"\bextra\s*==", need)]
        left += [match[0] for need in needed if (match := NAME.match(need))]
    return found


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(package: Distribution) -> list[Path]:
    paths = (Path(str(file.locate())) for file in package.files or ())
    return [path for path in paths if path.is_file()]


if __name__ == "__main__":
    main()
