"""Templates: scans of a filled form, laid on the form that was shown once: is each field's text right, and its own?

    python benchmarks/templates.py --data ../shared/drawings --count 100

Each form is shown once, photographed and filled in by another hand; then 20 scans of it are read, turned up to 10
degrees, 0.7 to 1.4 times as large, shifted, photographed. A field is misplaced if the box that was read overlaps with
its true place by less than half (intersection over union). Scans of other forms must be refused.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from composed import BlankForm, Composed, Rng, a_page, fill_form, labelled_form, table_form
from reading import at_least, at_most, print_table, spread
from rendering import drawings_folder, load_strokes
from sets import SEED

from digits import PictureError, Recognizer
from digits.decode import read_pixels
from digits.networks import name_networks
from digits.template import Template, make_template
from digits.training.evaluate import describe_machine

TURN = 10.0  # degrees
SCALES = (0.7, 1.4)
SCANS = 20  # of a form
HEAD = [
    "forms", "scans", "refused", "fields", "exact %", "95 % interval", "bar", "misplaced", "bar",
    "wrong, not marked %", "marked %", "s a scan",
]  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of real drawings")
    parser.add_argument("--split", choices=("dev-train", "dev-test"), default="dev-test", help="writers")
    parser.add_argument("--count", type=int, default=100, help="scans of each kind of form")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    recognizer = Recognizer()
    drawings = load_strokes(options.data / "pen_digits.jsonl.gz", options.split)
    print(f"{describe_machine()}; {name_networks(recognizer.networks)}; writers {options.split}\n")
    print_table(rows(recognizer, drawings, options.count))


def rows(recognizer: Recognizer, drawings: Any, count: int) -> Iterator[list[str]]:
    """The table's rows."""
    yield HEAD
    for kind, (name, make) in enumerate(KINDS.items()):
        total = np.zeros(6, int)  # scans, refused, exact, misplaced, unmarked wrong, marked
        fields, seconds, others = 0, [], []
        for number in range(count):
            form_rng = np.random.default_rng([SEED, kind, number // SCANS])
            form = make(form_rng)
            if number % SCANS == 0:
                template = show(recognizer, form, drawings, form_rng)
            rng = np.random.default_rng([SEED, kind, number // SCANS, number])
            scan = fill_form(form.scaled(rng.uniform(*SCALES)), drawings, rng, float(rng.uniform(-TURN, TURN)))
            start = time.process_time()
            total += count_scan(recognizer, template, scan)
            seconds.append(time.process_time() - start)
            fields += len(form.boxes)
            if number % 5 == 0:
                others.append(refuses(recognizer, template, a_page(drawings, rng)))
                others.append(refuses(recognizer, template, fill_form(make(rng), drawings, rng)))
        scans, refused, exact, misplaced, unmarked, marked = total.tolist()
        percent = 100 * exact / fields
        yield [
            *(name, str(scans), str(refused), str(fields), f"{percent:.1f}", spread(exact, fields)),
            *(at_least(percent, 97.0), str(misplaced), at_most(misplaced, 0)),
            *(f"{100 * unmarked / fields:.2f}", f"{100 * marked / fields:.1f}", f"{np.median(seconds):.2f}"),
        ]
        yield [f"other pictures than {name}", str(len(others)), str(sum(others)), *[""] * (len(HEAD) - 3)]


KINDS: dict[str, Callable[[Rng], BlankForm]] = {"labelled forms": labelled_form, "plain tables": table_form}


def show(recognizer: Recognizer, form: BlankForm, drawings: Any, rng: Rng) -> Template:
    """The template of a form: of one with labels its boxes are named, of a table they are found."""
    if not form.labels:
        return make_template(recognizer, fill_form(form, drawings, rng, empty=0.0).picture)
    shown = fill_form(form, drawings, rng)
    described = [
        {"name": str(place), "box": [*corners.min(axis=0), *corners.max(axis=0)]}
        for place, corners in enumerate(np.asarray(shown.cells)[0])
    ]
    return make_template(recognizer, shown.picture, described)


def count_scan(recognizer: Recognizer, template: Template, scan: Composed) -> np.ndarray:
    """Scans, refused, and fields that are exact, misplaced, wrong and not marked, marked."""
    (truth,), places = scan.rows, np.asarray(scan.cells)[0]
    try:
        found = template.read(recognizer, scan.picture)[1]
        matrix = template.align(recognizer, read_pixels(scan.picture)[0])[0]
    except PictureError:
        return np.array([1, 1, 0, 0, 0, len(truth)])
    (cells,) = found.tables[0].rows
    if len(cells) != len(truth):
        return np.array([1, 0, 0, len(truth), 0, 0])
    laid = cv2.perspectiveTransform(places.reshape(-1, 1, 2).astype(float), matrix).reshape(places.shape)
    exact = [cell.text == text for cell, text in zip(cells, truth, strict=True)]
    marked = [cell.verdict in ("unsure", "not a digit") for cell in cells]
    misplaced = sum(
        overlap([*corners.min(axis=0), *corners.max(axis=0)], box) < 0.5
        for corners, box in zip(laid, template.boxes, strict=True)
    )
    unmarked = sum(not right and not seen for right, seen in zip(exact, marked, strict=True))
    return np.array([1, 0, sum(exact), misplaced, unmarked, sum(marked)])


def refuses(recognizer: Recognizer, template: Template, other: Composed) -> bool:
    """Is another picture refused?"""
    try:
        template.read(recognizer, other.picture)
    except PictureError:
        return True
    return False


def overlap(a: Any, b: Any) -> float:
    """Intersection over union of two boxes."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(across, 0) * max(down, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return float(common / max(areas - common, 1e-6))


if __name__ == "__main__":
    main()
