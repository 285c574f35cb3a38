"""Corrections: are flags safe when programs are killed, and does learning a hand make it read better?

    python -m benchmarks.corrections safety [--rounds 20]
    python -m benchmarks.corrections hands --data ../shared/drawings [--model model.h5]
"""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from digits.flags import FlagStore
from digits.recognition import Digit, Recognition

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Safety:
    """What was found in a folder of flags after programs that wrote to it were killed."""

    acknowledged: int
    kept: int
    lost: int
    doubled: int
    unreadable: int
    seconds: float

    @property
    def intact(self) -> bool:
        """Nothing that was acknowledged is missing, doubled or damaged."""
        return self.lost == self.doubled == self.unreadable == 0


@app.command()
def safety(
    rounds: Annotated[int, typer.Option(help="How often.")] = 20,
    processes: Annotated[int, typer.Option(help="Programs that flag at once.")] = 8,
    flags: Annotated[int, typer.Option(help="Flags of each program.")] = 250,
    kills: Annotated[int, typer.Option(help="How many programs are killed a round, at random moments.")] = 5,
) -> None:
    """Kill programs while they flag, and look for what was lost."""
    print(f"{processes} processes x {flags} flags, {kills} x kill -9 at random moments, n = {rounds} rounds")
    print("round  acknowledged    kept  lost  doubled  unreadable  flags/s")
    results = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            result = kill_while_flagging(Path(folder), processes, flags, kills, seed=number)
        results.append(result)
        print(
            f"{number:5}  {result.acknowledged:12}  {result.kept:6}  {result.lost:4}  {result.doubled:7}"
            f"  {result.unreadable:10}  {result.kept / result.seconds:7.0f}"
        )
    print(f"intact: {sum(result.intact for result in results)} of {rounds} rounds")


def kill_while_flagging(folder: Path, processes: int, flags: int, kills: int, seed: int) -> Safety:
    """Let programs flag into one folder, kill some and start them again where they stopped; then look."""
    store_folder, receipts = folder / "flagged", folder / "receipts"
    receipts.mkdir()
    chance = random.Random(seed)
    moments = sorted(chance.randrange(processes * flags * 9 // 10) for _ in range(kills))
    start = time.perf_counter()
    running = {worker: _start(store_folder, receipts, worker, flags) for worker in range(processes)}
    for moment in moments:
        while _count(receipts) < moment:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.01))
        worker = chance.choice([worker for worker, process in running.items() if process.is_alive()])
        os.kill(running[worker].pid or 0, signal.SIGKILL)
        running[worker].join()
        running[worker] = _start(store_folder, receipts, worker, flags)
    for process in running.values():
        process.join()
    seconds = time.perf_counter() - start
    return _look(store_folder, _receipts(receipts), seconds)


def _look(folder: Path, acknowledged: list[str], seconds: float) -> Safety:
    kept = FlagStore(folder).flags()
    ids, pictures = {flag.id for flag in kept}, {flag.picture_sha256 for flag in kept}
    return Safety(
        acknowledged=len(acknowledged),
        kept=len(kept),
        lost=sum(id not in ids for id in acknowledged),
        doubled=len(kept) - len(pictures),
        unreadable=sum(not _opens(flag.picture_path) for flag in kept),
        seconds=seconds,
    )


def _start(folder: Path, receipts: Path, worker: int, flags: int) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["digits.flags"])
    process = context.Process(target=_flag_many, args=(folder, receipts / str(worker), worker, flags))
    process.start()
    return process


def _flag_many(folder: Path, receipt: Path, worker: int, flags: int) -> None:
    """One program: go on after the last flag that was acknowledged, and write a receipt for each."""
    store = FlagStore(folder)
    done = receipt.read_text().count("\n") if receipt.exists() else 0
    with open(receipt, "ab", buffering=0) as file:
        for number in range(done, flags):
            flag = store.add(_unique_picture(worker, number), _SOME_RECOGNITION, "7", "0" * 64)
            file.write(f"{flag.id}\n".encode())


def _unique_picture(worker: int, number: int) -> bytes:
    noise = np.random.default_rng([worker, number]).integers(0, 256, (100, 100), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


_SOME_RECOGNITION = Recognition(
    (Digit(np.eye(10, dtype=np.float32)[7], (0, 0, 100, 100), np.zeros((28, 28), np.uint8)),)
)


def _receipts(folder: Path) -> list[str]:
    return [id for path in folder.iterdir() for id in path.read_text().split()]


def _count(receipts: Path) -> int:
    return sum(path.stat().st_size for path in receipts.iterdir()) // 17  # 16 hexadecimal digits and a newline


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    app()
