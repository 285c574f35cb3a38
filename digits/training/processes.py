"""Processes: functions at work beside each other, each in a process of its own, that end when they are told to."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import Any

from digits.errors import ModelError

THREADS = "TF_NUM_INTRAOP_THREADS"  # environment variable: how many TensorFlow computes with
_told_to_end: Event | None = None  # of this process, if run_beside started it


def run_beside(work: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> list[Any]:
    """The results of work(*arguments) for each of the arguments; all that goes to and fro is pickled.

    If this process is interrupted or one of them fails, all are told to end (see is_told_to_end) and waited for; if it
    dies, they die. Each takes its share of the cores that this one has.
    Raises what the first that fails raises, and ModelError if one ends without a word.
    """
    context = multiprocessing.get_context("spawn")  # a forked TensorFlow hangs
    told_to_end = context.Event()
    threads = max(1, int(os.environ.get(THREADS) or os.cpu_count() or 1) // len(arguments))
    with ProcessPoolExecutor(len(arguments), context, _attend, (told_to_end, threads)) as pool:
        try:
            at_work = [pool.submit(work, *one) for one in arguments]
            ended, _ = wait(at_work, return_when=FIRST_EXCEPTION)
            for one in ended:
                one.result()  # raises what it raised
            return [one.result() for one in at_work]
        except BrokenProcessPool as error:
            raise ModelError(
                "A training process ended without a word; perhaps memory ran out. "
                "Close other programs and go on with the same command and --resume."
            ) from error
        finally:
            told_to_end.set()


def is_told_to_end() -> bool:
    """Shall this process, which run_beside started, end as soon as it can?"""
    return _told_to_end is not None and _told_to_end.is_set()


def serve_parent() -> None:
    """What a process that works for another does first: Ctrl-C is left to that one, and it does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches all of them; the first decides what becomes of it
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _attend(told_to_end: Event, threads: int) -> None:
    """What a process does first."""
    global _told_to_end  # the one thing that a process is told by the one that started it
    _told_to_end = told_to_end
    serve_parent()
    os.environ[THREADS] = str(threads)
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else the first takes a GPU's whole memory


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
