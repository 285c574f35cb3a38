"""This program beside others: the document is whole, and no peer can end the run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digits import Recognizer
from digits.networks import name_networks

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from peer import Peer, PeerError, Worker
from peers import OURS, Figure, Section, behind
from reading import Pictures
from rendering import drawings_folder

ROOT = Path(__file__).resolve().parents[1]
MOODY = """
import os, time
from pathlib import Path
from PIL import Image
from worker import line, serve

def read(path, kind):
    mood = Path(path).stem
    if mood == "crash":
        os._exit(3)
    if mood == "hang":
        time.sleep(600)
    if mood == "raise":
        raise ValueError("no ink")
    print("what libraries say")
    return [line(f"a{Image.open(path).width}", 0.9)]

serve(read)
"""
SET = Pictures("a set", [], [])


@pytest.mark.skipif(not drawings_folder().is_dir(), reason="no folder of real drawings")
def test_peers_writes_a_whole_document_of_what_was_measured_and_what_was_not(tmp_path):
    out = tmp_path / "comparison.md"
    options = ["--limit", "2", "--starts", "1", "--peers", "Tesseract", "--out", out]
    command = [sys.executable, ROOT / "benchmarks" / "peers.py", *options]
    ended = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    text = out.read_text("utf-8")
    titles = re.findall("^## (.+)", text, re.MULTILINE)
    assert titles == ["Where this program is behind", "Of all sets", "Set by set", "What it takes",
                      "Training to 99.0 %", "The programs"]  # fmt: skip
    assert name_networks(Recognizer().networks) in text and "nan" not in text
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    assert [len({line.count("|") for line in table}) for table in tables] == [1] * 5
    rows = {cells[0]: cells[1:] for table in tables for line in table for cells in [line.strip("| ").split(" | ")]}
    assert rows["pen digits"][1].startswith("100.0")
    assert rows["photos: cheque amounts"][2] == "–"  # the plain pipeline reads one digit
    absent = "Not measured: Tesseract does not run: there is no tesseract on the PATH" in text
    assert absent == (rows["memory, MB"][-1] == rows["pen digits"][-1] == "–")


@pytest.fixture
def moody(tmp_path, monkeypatch):
    """A worker that crashes, hangs or raises an error over pictures of these names."""
    script = tmp_path / "moody.py"
    script.write_text(MOODY)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "benchmarks"))
    worker = Worker(Peer("moody", (str(script),)), tmp_path, patience=2)
    yield worker
    worker.close()


@pytest.mark.parametrize("mood", ["crash", "hang", "raise"])
def test_worker_has_not_read_what_it_fails_over_and_reads_what_comes_next(moody, mood):
    assert moody.read(Path(f"{mood}.png"), SET).text == ""
    assert moody.lost == 1
    answer = moody.read(np.full((40, 40), 255, np.uint8), SET)
    assert (answer.text, answer.sure, moody.lost) == ("40", True, 1)


def test_peer_that_cannot_be_installed_or_started_says_why_in_a_sentence(tmp_path):
    with pytest.raises(PeerError, match=r"^none could not be installed: .*nothing\.whl"):
        Worker(Peer("none", ("worker.py",), packages=(str(tmp_path / "nothing.whl"),)), tmp_path)
    script = tmp_path / "gone.py"
    script.write_text("import sys; sys.exit('no engine in /usr/lib/engine.so')")
    with pytest.raises(PeerError, match=r"^gone does not run: no engine in engine\.so$"):
        Worker(Peer("gone", (str(script),)), tmp_path)


def test_behind_names_every_row_in_which_another_is_better_and_no_other():
    figures = [
        Figure(
            "amounts", "9", {OURS.name: 72.7, "other": 79.9}, spreads={OURS.name: "68.1-76.8", "other": "75.7-83.6"}
        ),
        Figure("milliseconds", "9", {OURS.name: 5, "other": 4}, ".0f", better="less"),
        Figure("drawings", "9", {OURS.name: 99.0, "other": 54.0}),
        Figure("sure", "9", {OURS.name: 60.0, "other": 90.0}, better=""),
        Figure("level", "9", {OURS.name: 100.0, "other": 100.0}),
        Figure("unmeasured", "9", {"other": 100.0}),
    ]
    text = behind([Section("title", "", [OURS.name, "other"], figures, {"other": "it has seen more"})])
    assert "In 2 of 5 rows" in text
    assert "amounts: other 79.9 (75.7-83.6); this program 72.7 (68.1-76.8); the intervals overlap." in text
    assert "milliseconds: other 4; this program 5." in text
    assert "* other: it has seen more." in text
    assert not any(name in text for name in ("drawings", "* sure", "level", "unmeasured"))
