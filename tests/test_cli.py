"""The command, run as a user runs it."""

import csv
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw


@pytest.fixture
def picture(tmp_path) -> Path:
    image = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(image).line([(100, 40), (100, 160)], fill=0, width=14)
    image.save(tmp_path / "one.png")
    return tmp_path / "one.png"


def digits(*arguments, **options) -> subprocess.CompletedProcess[str]:
    options = {"text": True, "capture_output": True} | options
    return subprocess.run([sys.executable, "-m", "digits", *map(str, arguments)], check=False, **options)


def test_predict_prints_a_line_a_picture_and_is_quiet_otherwise(picture):
    run = digits("predict", picture)
    assert run.returncode == 0
    assert run.stdout.startswith("1 ")
    assert str(picture) in run.stdout
    assert run.stderr == ""


def test_predict_exits_with_1_if_a_picture_could_not_be_read(picture):
    run = digits("predict", "missing.png", picture, "--format", "csv")
    rows = list(csv.DictReader(run.stdout.splitlines()))
    assert run.returncode == 1
    assert [bool(row["error"]) for row in rows] == [True, False]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "excel"],
        ["--format", "parquet"],
        ["--jobs", "0"],
        ["--out", "no/such/folder/out.csv"],
        ["--out", "."],
    ],
)
def test_predict_exits_with_2_if_the_command_makes_no_sense(picture, arguments):
    run = digits("predict", picture, *arguments)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


def test_predict_never_deletes_a_folder_that_it_has_not_written(picture, tmp_path):
    (tmp_path / "precious.parquet").mkdir()
    (tmp_path / "precious.parquet" / "letter.txt").touch()
    assert digits("predict", picture, "--out", tmp_path / "precious.parquet").returncode == 2
    assert (tmp_path / "precious.parquet" / "letter.txt").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["predict", "one.png", "--model", "missing.onnx"], "missing.onnx"),
        (["flags", "list", "--folder", "missing"], "missing"),
        (["serve", "--no-page", "--model", "missing.onnx"], "missing.onnx"),
    ],
)
def test_every_error_is_one_line(command, words):
    run = digits(*command)
    assert run.returncode == 1
    assert run.stderr.startswith("digits: ")
    assert words in run.stderr
    assert run.stderr.count("\n") == 1


def test_predict_reads_a_picture_or_a_list_of_paths_from_standard_input(picture):
    by_bytes = digits("predict", "-", "--format", "jsonl", input=picture.read_bytes(), text=False)
    by_list = digits("predict", "-", "--format", "jsonl", input=f"{picture}\n")
    assert json.loads(by_bytes.stdout)["text"] == json.loads(by_list.stdout)["text"] == "1"
    assert json.loads(by_list.stdout)["picture"] == str(picture)


def test_predict_gives_as_many_answers_as_asked_for(picture):
    run = digits("predict", picture, "--format", "jsonl", "--top", "5")
    assert len(json.loads(run.stdout)["digits"][0]["top"]) == 5


def test_predict_writes_what_the_network_saw(picture, tmp_path):
    digits("predict", picture, "--debug-images", tmp_path / "seen")
    (seen,) = (tmp_path / "seen").iterdir()
    assert seen.name.endswith("one.png_0_is_1.png")
    assert Image.open(seen).size == (28, 28)


def test_predict_takes_the_whole_picture_as_one_digit_if_told_to(tmp_path):
    image = Image.new("L", (300, 200), 255)
    for x in (80, 220):
        ImageDraw.Draw(image).line([(x, 40), (x, 160)], fill=0, width=14)
    image.save(tmp_path / "eleven.png")
    rows = [
        json.loads(digits("predict", tmp_path / "eleven.png", "--format", "jsonl", *single).stdout)
        for single in ([], ["--single"])
    ]
    assert [len(row["digits"]) for row in rows] == [2, 1]


def test_predict_shows_rate_and_time_left_on_a_terminal(picture, tmp_path):
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "digits", "predict", picture, "--out", tmp_path / "out.csv"], stderr=end, stdout=end
    ) as run:
        run.wait()
    os.close(end)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "1/1" in shown
    assert "/s" in shown
    assert "0:00" in shown


def test_completion_completes_commands():
    typed = {"_DIGITS_COMPLETE": "complete_bash", "COMP_WORDS": "digits pre", "COMP_CWORD": "1"}
    assert digits(env=os.environ | typed).stdout.split() == ["predict"]


def test_import_loads_nothing_heavy():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, digits; digits.Recognizer(); print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"gradio", "keras", "tensorflow", "scipy", "pandas", "typer", "fastapi"} & set(loaded)
