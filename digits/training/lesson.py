"""Lesson: learning from the flagged pictures as a process that says how far it is.

    python -m digits.training.lesson FLAGGED MODEL

Each line on standard output that begins with a brace is JSON: {"done": share, "step": what is done now}; at the end
{"result": {conditions, model_id}}, or {"error": sentence} and exit code 1.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from digits.errors import DigitsError


def main(flagged: str, model: str) -> int:
    """Learn; returns the exit code."""
    say(done=0.02, step="Loading the training packages")
    from digits.training.corrections import improve

    try:
        improvement = improve(flagged, model, report=lambda done, step: say(done=done, step=step))
    except (DigitsError, OSError) as error:
        say(error=str(error))
        return 1
    conditions = [dataclasses.asdict(condition) for condition in improvement.conditions]
    say(done=1.0, result={"conditions": conditions, "model_id": improvement.model_id})
    return 0


def say(**news: Any) -> None:
    """One line for who follows the lesson."""
    print(json.dumps(news), flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
