"""Limits: a recognizer in a process of its own, which the system stops when it takes more than it may."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MEMORY = 600_000_000  # bytes more than idle
SECONDS = 5  # of a core, for each picture

READER = """
import json, os, resource, sys
import cv2, numpy
from PIL import Image
from digits import PictureError, Recognizer
from digits.picture import read_grey

def set_limits(memory, seconds):
    idle = 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1])
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_AS, (idle + memory, idle + memory))
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds,) * 2)

cv2.setNumThreads(1)
recognizer = Recognizer()
recognizer.recognize(numpy.full((100, 100), 255, numpy.uint8))
memory, seconds = int(sys.argv[1]), int(sys.argv[2])
set_limits(memory, seconds)
picture = eval(sys.argv[3])
try:
    if sys.argv[4] == "decode":
        print(json.dumps({"text": "", "notes": read_grey(picture)[2], "error": None}))
    else:
        result = recognizer.recognize(picture)
        print(json.dumps({"text": result.text, "notes": result.notes, "error": None}))
except PictureError as error:
    print(json.dumps({"error": str(error)}))
"""


def read_limited(picture: str, memory: int = MEMORY, seconds: int = SECONDS, step: str = "recognize") -> dict[str, Any]:
    """What the shipped model reads in a picture, or {"error": sentence}, in a process that may take so much more.

    picture: a Python expression that makes it, in which `Image`, `numpy` and `os` are known.
    step: "recognize" for the whole road, "decode" for its first step.
    """
    command = [sys.executable, "-c", READER, str(memory), str(seconds), picture, step]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, f"ended with {ended.returncode}: {ended.stderr[-2000:]}"
    answer: dict[str, Any] = json.loads(ended.stdout)
    assert "MemoryError" not in str(answer["error"]) and "lloc" not in str(answer["error"]), answer["error"]
    return answer
