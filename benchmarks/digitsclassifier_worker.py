"""digitsclassifier for a benchmark beside us: a worker (worker.py) in the environment in which it is installed."""

from __future__ import annotations

import numpy as np
from digitsclassifier import predict_digits
from PIL import Image
from worker import Line, line, serve


def read(path: str, kind: str) -> list[Line]:
    """It asks for a grey array, dark on light."""
    labels, scores = predict_digits([np.asarray(Image.open(path).convert("L"))], 1)
    return [line(str(labels[0][0]), float(scores[0][0]))]


if __name__ == "__main__":
    serve(read)
