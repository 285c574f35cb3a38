"""The plain pipeline that most programs have: grey, resized to 28x28, 0..1, inverted if the paper is light.

As a worker (worker.py) it has a process of its own, with nothing but what it needs:

    python benchmarks/plain.py model.h5           # answered by Keras' predict
    python benchmarks/plain.py digits/model.onnx  # answered by ONNX Runtime
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from PIL import Image
from worker import Line, line, serve

Predict = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(1, 28, 28, 1) float32, ink = 1 -> labels (1, 10) and is_digit (1, 1), probabilities."""


def to_frame(image: Image.Image) -> np.ndarray:
    """(1, 28, 28, 1) float32 in [0, 1], ink = 1."""
    small = np.asarray(image.convert("L").resize((28, 28), Image.Resampling.BILINEAR), np.float32) / 255
    ink = 1 - small if small.mean() > 0.5 else small
    return ink[None, ..., None]


def main() -> None:
    predict = _load(sys.argv[1])

    def read(path: str, kind: str) -> list[Line]:
        labels, is_digit = predict(to_frame(Image.open(path)))
        probabilities = (labels * is_digit)[0]
        return [line(str(probabilities.argmax()), float(probabilities.max()))]

    serve(read)


def _load(model: str) -> Predict:
    if model.endswith(".onnx"):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda images: session.run(None, {name: images})
    import keras

    network = keras.saving.load_model(model, compile=False)
    return lambda images: network.predict(images, verbose=0)


if __name__ == "__main__":
    main()
