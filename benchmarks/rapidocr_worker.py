"""RapidOCR for a benchmark beside us: reads pictures in the environment in which it is installed.

A JSON object a line comes in on standard input: the path of a picture, and whether text is to be detected in it or the
whole picture is one line. For each goes out: lines (each text, score and box), and the processor time in milliseconds.
Only what the environment of RapidOCR holds is imported here.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import cv2
from rapidocr import RapidOCR

ONE_CORE = {
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Global.log_level": "critical",
}
NOWHERE = [[0, 0], [1, 0], [1, 1], [0, 1]]  # the box of what was not searched for


def main() -> None:
    cv2.setNumThreads(1)
    engine = RapidOCR(params=ONE_CORE)
    for task in sys.stdin:
        start = time.process_time()
        lines = _read(engine, **json.loads(task))
        milliseconds = 1000 * (time.process_time() - start)
        print(json.dumps({"lines": lines, "milliseconds": milliseconds}), flush=True)


def _read(engine: RapidOCR, path: str, detect: bool) -> list[dict[str, Any]]:
    found = engine(path, use_det=detect, use_cls=detect)
    texts, scores = found.txts or (), found.scores or ()
    boxes = [box.tolist() for box in found.boxes] if detect and texts else [NOWHERE] * len(texts)
    return [
        {"text": text, "score": float(score), "box": box} for text, score, box in zip(texts, scores, boxes, strict=True)
    ]


if __name__ == "__main__":
    main()
