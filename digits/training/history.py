"""History: what the epochs of a run measured, from the folders that it leaves."""

from __future__ import annotations

import csv
from pathlib import Path

from digits.training.recipe import Recipe

REFINING = "refining-"  # and its number: folder of a refining round, in that of its cycle
CYCLE = "cycle-"  # and its number: folder of a later cycle, in that of its column
SECOND_COLUMN = "column-2"  # folder of the second column, if there is one, in that of the run


def read_history(folder: Path) -> list[dict[str, float]]:
    """What each epoch of a run measured, one round after the other, from `folder`; [] if there is none."""
    return [epoch for epochs in read_rounds(folder) for epoch in epochs]


def read_rounds(folder: Path) -> list[list[dict[str, float]]]:
    """The same, a list for each round that has been begun, one column after the other."""
    return [epochs for column in column_folders(folder) for epochs in _read_column(column)]


def read_seconds(folder: Path) -> float:
    """How long the epochs of a run took: those of its slowest column, for columns are trained beside each other."""
    return max(
        sum(epoch["seconds"] for epochs in _read_column(column) for epoch in epochs)
        for column in column_folders(folder)
    )


def kept_epochs(recipe: Recipe, rounds: list[list[dict[str, float]]]) -> list[dict[str, float]]:
    """What the epoch measured whose weights were kept, of each of read_rounds.

    It is the best of a cycle's first round, and the last of its refining ones.
    """
    rounds_of_cycle = bool(recipe.epochs) + len(recipe.refining_drawn) * bool(recipe.refining)
    return [
        min(epochs, key=lambda epoch: epoch["val_loss"])
        if recipe.epochs and number % rounds_of_cycle == 0
        else epochs[-1]
        for number, epochs in enumerate(rounds)
    ]


def column_folders(folder: Path) -> tuple[Path, Path]:
    """Where the rounds of the first column are, and those of the second, if there is one."""
    return folder, folder / SECOND_COLUMN


def cycle_folders(column: Path, cycles: int) -> list[Path]:
    """Where the rounds of each cycle of a column are."""
    return [column, *(column / f"{CYCLE}{number}" for number in range(2, cycles + 1))]


def _read_column(folder: Path) -> list[list[dict[str, float]]]:
    rounds = [
        read_round(path)
        for cycle in (folder, *sorted(folder.glob(f"{CYCLE}*")))
        for path in (cycle, *sorted(cycle.glob(f"{REFINING}*")))
    ]
    return [epochs for epochs in rounds if epochs]


def read_round(folder: Path) -> list[dict[str, float]]:
    """What each epoch of one round measured, the last time that it was run; [] before the first has ended."""
    path = folder / "history.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return list({row["epoch"]: row for row in rows}.values())
