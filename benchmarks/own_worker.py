"""This program as a worker (worker.py), for what a fresh process of it costs."""

from __future__ import annotations

import cv2
from worker import Line, line, serve

from digits import Recognizer
from digits.rows import as_row


def main() -> None:
    cv2.setNumThreads(1)
    recognizer = Recognizer()

    def read(path: str, kind: str) -> list[Line]:
        row = as_row(path, recognizer.recognize(path))
        return [line(row["text"], row["confidence"] or 0.0)]

    serve(read)


if __name__ == "__main__":
    main()
