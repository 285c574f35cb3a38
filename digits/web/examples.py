"""Examples: a few drawings, each as the strokes of a hand, which the page offers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

PEN = 22  # pixels

EXAMPLES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("assets").joinpath("examples.json").read_text("utf-8")
)
"""Each has a name, width and height of its sheet, and strokes: lists of (x, y)."""


def paint(example: dict[str, Any]) -> Image.Image:
    """The example as a picture of mode L, black on white."""
    image = Image.new("L", (example["width"], example["height"]), 255)
    pen = ImageDraw.Draw(image)
    for stroke in example["strokes"]:
        points = [(x, y) for x, y in stroke]
        pen.line(points, 0, PEN, joint="curve")
        for x, y in points[:: len(points) - 1]:
            pen.ellipse((x - PEN / 2, y - PEN / 2, x + PEN / 2, y + PEN / 2), 0)
    return image
