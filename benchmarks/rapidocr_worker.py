"""RapidOCR for a benchmark beside us: a worker (worker.py) in the environment in which it is installed."""

from __future__ import annotations

import cv2
from rapidocr import RapidOCR
from worker import NOWHERE, Line, line, serve

ONE_CORE = {
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Global.log_level": "critical",
}


def main() -> None:
    cv2.setNumThreads(1)
    engine = RapidOCR(params=ONE_CORE)
    serve(lambda path, kind: _read(engine, path, detect=kind == "page"))


def _read(engine: RapidOCR, path: str, detect: bool) -> list[Line]:
    found = engine(path, use_det=detect, use_cls=detect)
    texts, scores = found.txts or (), found.scores or ()
    boxes = [box.tolist() for box in found.boxes] if detect and texts else [NOWHERE] * len(texts)
    return [line(text, float(score), box) for text, score, box in zip(texts, scores, boxes, strict=True)]


if __name__ == "__main__":
    main()
