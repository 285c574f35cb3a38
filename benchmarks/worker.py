"""What the workers of a benchmark share: pictures come in, answers go out, a JSON object a line.

In comes a task: the path of a picture, and its kind, "digit" (there is one in it), "line" (the whole of it is one line)
or "page" (text is to be found in it). Out goes an answer: lines (each text, score and box), error (None, or what was
raised), milliseconds of processor time, and megabytes, the most memory that the process had so far, None if unknown.
Only the standard library is imported here: every environment of a peer has it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Line = dict[str, Any]
NOWHERE = [[0, 0], [1, 0], [1, 1], [0, 1]]  # the box of what was not searched for


def line(text: str, score: float, box: list[list[float]] = NOWHERE) -> Line:
    """A line of text. score: in [0, 1]; box: its four corners."""
    return {"text": text, "score": score, "box": box}


def peak_megabytes() -> float | None:
    """The most memory that this process had so far, in MB; None where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return peaks[0] * 1024 / 1e6 if peaks else None


def serve(read: Callable[[str, str], list[Line]], peak: Callable[[], float | None] = peak_megabytes) -> None:
    """Answer until no more tasks come in. read: the path and the kind of a picture to the lines in it."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    for task in sys.stdin:
        start = _processor_seconds()
        lines, error = _try(read, **json.loads(task))
        milliseconds = 1000 * (_processor_seconds() - start)
        answer = {"lines": lines, "error": error, "milliseconds": milliseconds, "megabytes": peak()}
        print(json.dumps(answer), file=answers, flush=True)


def _try(read: Callable[[str, str], list[Line]], path: str, kind: str) -> tuple[list[Line], str | None]:
    try:
        return read(path, kind), None
    except Exception as error:  # whatever a peer raises: it has not read this picture, and goes on with the next
        return [], f"{type(error).__name__}: {error}"


def _processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system
