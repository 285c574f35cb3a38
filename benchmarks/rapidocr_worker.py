"""RapidOCR for a benchmark beside us: reads pictures in the environment in which it is installed.

Paths of pictures come in on standard input, a line each; for each a JSON object goes out: lines (each text, score and
box), and the processor time in milliseconds. Only what the environment of RapidOCR holds is imported here.
"""

from __future__ import annotations

import json
import sys
import time

import cv2
from rapidocr import RapidOCR

ONE_CORE = {
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Global.log_level": "critical",
}


def main() -> None:
    cv2.setNumThreads(1)
    engine = RapidOCR(params=ONE_CORE)
    for path in sys.stdin:
        start = time.process_time()
        found = engine(path.rstrip("\n"))
        milliseconds = 1000 * (time.process_time() - start)
        lines = [
            {"text": text, "score": float(score), "box": box.tolist()}
            for text, score, box in zip(found.txts or (), found.scores or (), found.boxes if found.txts else ())
        ]
        print(json.dumps({"lines": lines, "milliseconds": milliseconds}), flush=True)


if __name__ == "__main__":
    main()
