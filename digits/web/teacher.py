"""Teacher: the model learns from the flagged pictures, in a process of its own, while the page goes on answering."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from digits.errors import DigitsError
from digits.models import ModelHistory, served_file

Json = dict[str, Any]

MODEL = Path("model.h5")


class Teacher:
    """At most one lesson at a time.

    served: the model file that the page answers with. flagged: folder of flagged pictures. own: whether the page is
    for people at this computer alone; others may not change its model.
    """

    def __init__(self, served: Path, flagged: Path, own: bool, model: Path = MODEL) -> None:
        self.model = model
        self._served, self._flagged, self._own = served, flagged, own
        self._lesson: subprocess.Popen[str] | None = None
        self._news: Json = {}
        self._began = 0.0
        self._lock = threading.Lock()

    def teach(self) -> Json:
        """Begin a lesson, or say how far the present one is. Raises DigitsError if there can be none here."""
        if reason := self._refusal():
            raise DigitsError(reason)
        with self._lock:
            if self._lesson is None or self._lesson.poll() is not None:
                self._begin()
        return self.progress()

    def progress(self) -> Json:
        """How far the lesson is.

        running   bool
        seconds   int, since it began
        done      float in [0, 1]; step: str, what is done now
        result    when it is over: {conditions: [{name, before, after, passed}], model_id: str or None}
        error     why it failed
        """
        lesson = self._lesson
        running = lesson is not None and lesson.poll() is None
        return {"running": running, "seconds": round(time.monotonic() - self._began), **self._news}

    def roll_back(self) -> Json:
        """Put the model in service that was before. Raises ModelError."""
        if reason := self._refusal():
            raise DigitsError(reason)
        id = self._history().rollback()
        self._news = {}  # what the lesson brought is gone
        return {"model_id": id}

    def _refusal(self) -> str | None:
        if not self._own:
            return "The model can be taught only on a page that is served to its own computer alone."
        if not self.model.is_file() or self._served.resolve() != served_file(self.model).resolve():
            return f"There is no {self.model} to this model here. Start the program where {self.model} is."
        if importlib.util.find_spec("keras") is None:
            return 'Teaching needs the packages for training. In the checkout: pip install ".[train]"'
        return None

    def _history(self) -> ModelHistory:
        return ModelHistory(self.model.parent / "models", served_file(self.model), self.model)

    def _begin(self) -> None:
        command = [sys.executable, "-m", "digits.training.lesson", str(self._flagged), str(self.model)]
        self._news, self._began = {"done": 0.0, "step": "Starting"}, time.monotonic()
        self._lesson = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        threading.Thread(target=self._follow, args=(self._lesson,), daemon=True).start()

    def _follow(self, lesson: subprocess.Popen[str]) -> None:
        """Take in what the lesson says, line by line, until it ends."""
        assert lesson.stdout is not None and lesson.stderr is not None
        threading.Thread(target=lesson.stderr.read, daemon=True).start()  # TensorFlow talks; a full pipe would block it
        for line in lesson.stdout:
            if line.startswith("{"):
                self._news = {**self._news, **json.loads(line)}
        if lesson.wait() and "error" not in self._news:
            self._news = {**self._news, "error": f"The lesson ended early, with exit code {lesson.returncode}."}
