"""Tesseract for a benchmark beside us: a worker (worker.py) that starts it for each picture, as its users do."""

from __future__ import annotations

import csv
import resource
import shutil
import subprocess
import sys

from worker import Line, line, serve

MODES = {"digit": "10", "line": "7", "page": "6"}
"""Page segmentation: one character, one line, one block of text."""
DIGITS = ["-c", "tessedit_char_whitelist=0123456789"]


def main() -> None:
    if not shutil.which("tesseract"):
        sys.exit("there is no tesseract on the PATH (Debian's package tesseract-ocr)")
    serve(read, peak)


def read(path: str, kind: str) -> list[Line]:
    """The words of each line joined; their least confidence is the line's. Raises RuntimeError if it fails."""
    command = ["tesseract", path, "stdout", "--psm", MODES[kind], *DIGITS, "tsv"]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        raise RuntimeError(ended.stderr.strip())
    lines: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in csv.DictReader(ended.stdout.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["text"] and row["text"].strip():
            lines.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row)
    return [_line(words) for words in lines.values()]


def peak() -> float:
    """The most memory of one of its processes so far, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def _line(words: list[dict[str, str]]) -> Line:
    lefts, tops = ([float(word[side]) for word in words] for side in ("left", "top"))
    right = max(left + float(word["width"]) for left, word in zip(lefts, words, strict=True))
    bottom = max(top + float(word["height"]) for top, word in zip(tops, words, strict=True))
    left, top = min(lefts), min(tops)
    box = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return line("".join(word["text"] for word in words), min(float(word["conf"]) for word in words) / 100, box)


if __name__ == "__main__":
    main()
