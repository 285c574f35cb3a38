"""digit-recognizer-py for a benchmark beside us: a worker (worker.py) in the environment in which it is installed."""

from __future__ import annotations

import torch
from digit_recognizer import DigitRecognizer
from worker import Line, line, serve


def main() -> None:
    torch.set_num_threads(1)
    recognizer = DigitRecognizer(device="cpu")

    def read(path: str, kind: str) -> list[Line]:
        result = recognizer.predict(path, detailed=True)
        return [line(str(result.digit), result.confidence)]

    serve(read)


if __name__ == "__main__":
    main()
