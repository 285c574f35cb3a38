"""What a training preset gives: minutes and accuracy on MNIST's test set, over several seeds.

    python benchmarks/presets.py --preset default --seeds 3 --out benchmarks/presets.json
    python benchmarks/presets.py --preset best --seeds 3 --out benchmarks/presets.json  # may be interrupted

Each seed is one run of train_model.py's road, every one counts, and the test set is read once, when it has ended. An
interrupted run goes on after its last epoch, and the seeds that the file already holds are not run again. Runs beside
each other share the cores: all have ended sooner, but each takes longer.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import platform
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in train_model.py

import keras
import numpy as np

from digits.classifier import SHIPPED_MODEL
from digits.files import replace_file
from digits.training.data import TRAINING, load_mnist
from digits.training.evaluate import describe_machine, score, to_input
from digits.training.fit import fit
from digits.training.history import read_seconds
from digits.training.recipe import PRESETS
from digits.training.save import calibrate, save

BARS = {"default": (20, 0.996), "best": (60, 0.997)}
"""At most so many minutes on two cores, for a mean accuracy on MNIST's test set of at least this."""
LEAST_RUNS = 3  # fewer tell too little of the mean


def run(preset: str, seed: int, mnist: Path | None, jobs: int, models: Path | None) -> dict[str, Any]:
    """Train, calibrate and evaluate. The minutes are those of the epochs and of the start and the end of the run."""
    data = load_mnist(mnist)
    folder = Path("runs") / "presets" / f"{preset}-{seed}"
    start = time.monotonic()
    earlier = read_seconds(folder)  # of a run that was interrupted
    teacher = SHIPPED_MODEL if PRESETS[preset].tiny else None
    network = fit(PRESETS[preset], data, seed, folder, resume=True, teacher=teacher)
    model, calibration = calibrate(network, data.calibration, seed)
    seconds = earlier + time.monotonic() - start
    if models:
        save(model, models / f"{preset}-{seed}.h5", PRESETS[preset], seed, data, calibration, folder)
    labels, is_digit = model.predict(to_input(data.test.images), batch_size=256, verbose=0)
    scores = score(labels * is_digit, data.test.labels)
    shutil.rmtree(folder)
    return {
        "preset": preset,
        "seed": seed,
        "jobs": jobs,
        "minutes": seconds / 60,
        "parameters": model.count_params(),
        **dataclasses.asdict(scores),
        "recipe": _present_recipe(preset),
        "training_pictures": len(data.train),
        "machine": describe_machine(),
        "versions": f"Python {platform.python_version()}, Keras {keras.__version__} on {keras.backend.backend()}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="default")
    parser.add_argument("--seeds", type=int, default=3, help="how many runs: seeds 1, 2, ...")
    parser.add_argument("--jobs", type=int, default=1, help="how many runs at a time (default: 1)")
    parser.add_argument("--models", type=Path, help="folder to keep the runs' models in")
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's IDX files")
    parser.add_argument("--out", type=Path, help="JSON file that keeps the runs; its .md gets their table")
    options = parser.parse_args()
    runs = json.loads(options.out.read_text()) if options.out and options.out.is_file() else []
    runs = [one for one in runs if one["preset"] != options.preset or _is_present(one)]
    known = {one["seed"] for one in runs if one["preset"] == options.preset}
    load_mnist(options.mnist)  # downloaded once, if at all
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // options.jobs)))
    # A process of its own for each: backends give their memory back, and take their number of threads, only so.
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        seeds = sorted(set(range(1, options.seeds + 1)) - known)
        started = [
            pool.submit(run, options.preset, seed, options.mnist, options.jobs, options.models) for seed in seeds
        ]
        for ended in as_completed(started):
            runs.append(ended.result())
            publish(runs, options.out)


def publish(runs: list[dict[str, Any]], out: Path | None) -> None:
    """Print the table, and write it and the runs: after each, for it takes long."""
    runs.sort(key=lambda one: (list(PRESETS).index(one["preset"]), one["seed"]))
    text = f"`python benchmarks/presets.py {' '.join(sys.argv[1:])}`\n\n{table(runs)}\n"
    if out:
        replace_file(out, f"{json.dumps(runs, indent=1)}\n".encode())
        replace_file(out.with_suffix(".md"), text.encode())
    print(f"\n{text}", flush=True)


def table(runs: list[dict[str, Any]]) -> str:
    """The runs as Markdown, a row for each preset."""
    lines = [
        "| preset | n | at a time | minutes | MNIST test, % | as shown: ECE, NLL | of the label: ECE, NLL | bar |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for preset in PRESETS:
        if chosen := [one for one in runs if one["preset"] == preset]:
            lines.append(_row(preset, chosen))
    where = sorted({f"{one['machine']}; {one['versions']}" for one in runs})
    notes = [f"\n{one['preset']}, seed {one['seed']}: {one['note']}" for one in runs if "note" in one]
    return "\n".join([*lines, "", "Means, in brackets the lowest and the highest run. " + " | ".join(where), *notes])


def _present_recipe(preset: str) -> dict[str, Any]:
    """As JSON gives it back, which has no tuples."""
    recipe: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(PRESETS[preset])))
    return recipe


def _is_present(run: dict[str, Any]) -> bool:
    """Was it a run of the recipe that the preset has now, on as many of MNIST's pictures?"""
    return bool(run["recipe"] == _present_recipe(run["preset"]) and run["training_pictures"] == TRAINING)


def _row(preset: str, runs: list[dict[str, Any]]) -> str:
    columns = {name: np.array([one[name] for one in runs]) for name in runs[0] if isinstance(runs[0][name], float)}
    minutes, accuracy = columns["minutes"], 100 * columns["accuracy"]
    shown = f"{columns['ece'].mean():.4f}, {columns['nll'].mean():.4f}"
    of_label = f"{columns['ece_of_labels'].mean():.4f}, {columns['nll_of_labels'].mean():.4f}"
    jobs = " or ".join(sorted({str(one["jobs"]) for one in runs}))
    cells = [
        preset if all(map(_is_present, runs)) else f"{preset}, by an earlier recipe",
        str(len(runs)),
        jobs,
        _spread(minutes, 1),
        _spread(accuracy, 3),
        shown,
        of_label,
        _bar(preset, columns),
    ]
    return f"| {' | '.join(cells)} |"


def _bar(preset: str, columns: dict[str, np.ndarray]) -> str:
    if preset not in BARS:
        return ""
    minutes, accuracy = BARS[preset]
    met = columns["minutes"].mean() <= minutes and columns["accuracy"].mean() >= accuracy
    found = "too few runs" if len(columns["minutes"]) < LEAST_RUNS else "met" if met else "NOT met"
    return f"at most {minutes} minutes, at least {accuracy:.2%}: {found}"


def _spread(values: np.ndarray, decimals: int) -> str:
    return f"{values.mean():.{decimals}f} ({values.min():.{decimals}f} to {values.max():.{decimals}f})"


if __name__ == "__main__":
    main()
