"""Progress, on a terminal and in a log."""

import os
import pty
import subprocess
import sys

from digits.training import progress


def test_tracked_hands_on_every_item_and_tells_a_log_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr(progress, "QUIET", 0)
    assert list(progress.tracked("abc", "letters", 3)) == ["a", "b", "c"]
    assert capsys.readouterr().err.splitlines() == ["letters: 1 of 3", "letters: 2 of 3", "letters: 3 of 3"]


def test_tracked_shows_a_bar_on_a_terminal():
    ours, theirs = pty.openpty()
    code = "from digits.training.progress import tracked; list(tracked(range(3), 'letters', 3))"
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    assert b"letters" in os.read(ours, 10_000)
    os.close(ours)
