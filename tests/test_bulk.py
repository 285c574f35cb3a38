"""Bulk reading, run as the command is run: real files, real processes, really killed."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from pyarrow import parquet

from digits import Recognizer, recognizer
from digits.bulk import CHUNK, Journal, Settings, local_engine, ray_engine, read_pictures
from digits.errors import DigitsError

COUNT = 3 * CHUNK + 5

needs_ray = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Ray is installed on Linux alone")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Drawn ones and sevens in two folders, among them a file that is no picture and one of another kind."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "b").mkdir()
    for number in range(COUNT):
        paper = np.full((48, 48), 255, np.uint8)
        cv2.putText(paper, "17"[number % 2], (8 + number % 7, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 3)
        cv2.imwrite(str(folder / ("b" if number % 3 else "") / f"{number:04d}.png"), paper)
    (folder / "b" / "0002.png").write_bytes(b"this is no picture")
    (folder / "notes.md").write_text("not a picture, and not meant as one")
    return folder


def read(sources, settings=Settings(), engine=None, path="") -> list[dict]:  # noqa: B008 (it is frozen)
    journal = Journal(path, [str(source) for source in sources], settings)
    with journal, engine or local_engine(1) as ready:
        return list(read_pictures(journal, settings, ready))


def names(rows) -> list[str]:
    return [Path(row["picture"]).name for row in rows]


def answers(rows) -> list[dict]:
    return [row | {"picture": "", "error": row["error"] is not None} for row in rows]


def test_read_pictures_gives_each_picture_of_a_folder_one_row_in_order_of_paths(folder):
    rows = read([folder])
    keys = [row["picture"] for row in rows]
    assert len(keys) == COUNT
    assert keys == sorted(str(path) for path in folder.rglob("*.png"))


def test_read_pictures_turns_an_unreadable_picture_into_a_row_with_its_error(folder):
    broken = [row for row in read([folder]) if row["error"]]
    assert names(broken) == ["0002.png"]
    assert broken[0]["text"] == ""


def test_read_pictures_goes_on_after_a_failure_that_nobody_foresaw(folder, monkeypatch):
    def read_grey(picture):
        if picture.endswith("0003.png"):
            raise MemoryError("no room for it")
        return original(picture)

    original = recognizer.read_grey
    monkeypatch.setattr(recognizer, "read_grey", read_grey)
    rows = read([folder])
    assert len(rows) == COUNT
    assert sum(row["error"] is not None for row in rows) == 2
    assert any("no room for it" in (row["error"] or "") for row in rows)


@pytest.mark.parametrize("source", ["unknown://place/7.png", "unknown://place/*.png", "unknown://place/list.txt"])
def test_read_pictures_gives_a_place_that_nothing_opens_a_row_with_an_error(source):
    (row,) = read([source])
    assert "unknown" in row["error"]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_read_pictures_reads_archives_in_their_order(folder, tmp_path, kind):
    paths = sorted(folder.rglob("*.png"), reverse=True)
    archive = tmp_path / f"pictures.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            for path in paths:
                file.write(path, path.relative_to(folder))
    else:
        with tarfile.open(archive, "w:gz" if kind == "tar.gz" else "w") as file:
            for path in paths:
                file.add(path, path.relative_to(folder))
    rows = read([archive])
    assert answers(rows) == answers(reversed(read([folder])))
    assert [row["picture"] for row in rows] == [f"{archive}/{path.relative_to(folder)}" for path in paths]


def test_read_pictures_reads_a_cut_archive_up_to_the_cut(folder, tmp_path):
    whole, cut = tmp_path / "whole.tar", tmp_path / "cut.tar"
    with tarfile.open(whole, "w") as file:
        file.add(folder, "pictures")
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    rows = read([cut])
    assert 0 < len(rows) < COUNT
    assert "archive" in rows[-1]["error"]


def test_read_pictures_takes_globs_and_manifests(folder, tmp_path):
    paths = sorted((folder / "b").glob("*7.png"))
    by_glob = read([folder / "b" / "*7.png"])
    (folder / "list.txt").write_text("".join(f"b/{path.name}\n" for path in paths))
    (folder / "list.csv").write_text("label,file\n" + "".join(f"1,b/{path.name}\n" for path in paths))
    by_list, by_table = read([folder / "list.txt"]), read([folder / "list.csv"])
    assert [row["picture"] for row in by_glob] == [str(path) for path in paths]
    assert [row["picture"] for row in by_list] == [f"b/{path.name}" for path in paths]
    assert by_list == by_table
    assert answers(by_list) == answers(by_glob)


@pytest.mark.parametrize("source", ["missing.png", "missing/", "missing.zip", "missing.txt", "*.missing"])
def test_read_pictures_gives_a_source_without_pictures_a_row_with_an_error(tmp_path, source):
    (row,) = read([tmp_path / source])
    assert row["error"]


def test_read_pictures_survives_file_names_that_are_no_text(folder, tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.png")
    path.write_bytes((folder / "0000.png").read_bytes())
    (row,) = read([tmp_path])
    assert row["picture"].endswith("\\xff.png")
    assert row["error"] is None


def test_local_engine_gives_the_same_rows_in_many_processes_as_in_one(folder):
    assert read([folder], engine=local_engine(2)) == read([folder])


@needs_ray
def test_ray_engine_gives_the_same_rows_as_the_local_one(folder):
    assert read([folder], engine=ray_engine(None, 2)) == read([folder])


@needs_ray
def test_ray_engine_says_that_no_cluster_answers(folder):
    with pytest.raises(DigitsError, match="No Ray cluster"):
        read([folder], engine=ray_engine("127.0.0.1:9", 1))


def test_journal_refuses_other_settings_and_a_second_process(folder, tmp_path):
    path = tmp_path / "out.csv.partial"
    with Journal(path, [str(folder)], Settings()):
        second = run_command(folder, "--out", tmp_path / "out.csv")
        assert second.returncode == 1
        assert b"already running" in second.stderr
        assert second.stderr.count(b"\n") == 1
    with pytest.raises(DigitsError, match="another command") as raised:
        Journal(path, [str(folder)], Settings(single=True))
    assert all(digest in str(raised.value) for digest in Recognizer().networks.values())


def command(*arguments) -> list[str]:
    return [sys.executable, "-m", "digits", "predict", *map(str, arguments)]


def run_command(*arguments) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*arguments), capture_output=True, check=False)


def test_predict_killed_three_times_writes_what_one_run_writes(folder, tmp_path):
    kill_after = [1, CHUNK + 1, 2 * CHUNK + 1]  # pictures
    whole, resumed, seen = tmp_path / "whole.jsonl", tmp_path / "resumed.jsonl", tmp_path / "seen"
    seen.mkdir()
    options = [folder, "--jobs", "2", "--debug-images", seen, "--out"]
    for count in kill_after:
        kill_when(command(*options, resumed), lambda count=count: len(list(seen.iterdir())) >= count)
        assert not resumed.exists()
        assert Path(f"{resumed}.partial").exists()
    assert run_command(*options, resumed).returncode == 1  # one picture cannot be read
    assert run_command(*options, whole).returncode == 1
    assert resumed.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.partial*"))


def kill_when(arguments: list[str], is_time) -> None:
    """Kill a command at a certain moment, and see its own children go."""
    process = psutil.Popen(arguments)
    while not is_time():
        assert process.poll() is None
        time.sleep(0.005)
    children = process.children()
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_predict_writes_the_same_rows_in_every_format(folder, tmp_path):
    outs = {form: tmp_path / f"out.{form}" for form in ("csv", "jsonl", "parquet")}
    for out in outs.values():
        run_command(folder, "--out", out)
    rows = [json.loads(line) for line in outs["jsonl"].read_text().splitlines()]
    assert [row["picture"] for row in rows] == [row["picture"] for row in read([folder])]
    table = parquet.read_table(outs["parquet"]).to_pylist()
    assert [(row["picture"], row["text"], row["error"]) for row in table] == [
        (row["picture"], row["text"], row["error"]) for row in rows
    ]
    assert len(outs["csv"].read_text().splitlines()) == COUNT + 1
