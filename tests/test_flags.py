import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from digits import FlagsError
from digits.cli import app
from digits.flags import FlagStore
from digits.recognition import Digit, Recognition

MODEL = "a" * 64
PROJECT = Path(__file__).parent.parent


def run_python(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def picture(shade=0):
    file = io.BytesIO()
    Image.new("L", (40, 30), shade).save(file, "PNG")
    return file.getvalue()


def recognition(text="7"):
    return Recognition(
        tuple(
            Digit(
                np.eye(10, dtype=np.float32)[int(letter)] * 0.9,
                (index, 2, index + 3, 9),
                np.full((28, 28), 20 * index, np.uint8),
            )
            for index, letter in enumerate(text)
        )
    )


@pytest.fixture
def store(tmp_path):
    return FlagStore(tmp_path / "flagged")


def test_add_keeps_everything_that_was_handed_in(store):
    flag = store.add(picture(), recognition("12"), "17", MODEL)

    kept = FlagStore(store.folder).get(flag.id)

    assert (kept.label, kept.predicted, kept.model_digest) == ("17", "12", MODEL)
    assert kept.picture_path.read_bytes() == picture()
    assert kept.boxes == ((0, 2, 3, 9), (1, 2, 4, 9))
    np.testing.assert_array_equal(kept.images, flag.images)
    np.testing.assert_allclose(kept.probabilities, np.eye(10)[[1, 2]] * 0.9, atol=1e-6)


def test_a_label_has_signs_and_numbers_beside_each_other_and_no_letters(store):
    assert store.add(picture(), recognition(), " 3.14   -5 \n12:30", MODEL).label == "3.14 -5\n12:30"
    with pytest.raises(FlagsError, match="digits 0 to 9 and the signs"):
        store.add(picture(), recognition(), "12 kg", MODEL)


def test_add_recognises_a_duplicate_by_picture_and_label(store):
    first = store.add(picture(), recognition(), "7", MODEL)

    again = store.add(picture(), recognition(), "7", MODEL)
    other_label = store.add(picture(), recognition(), "1", MODEL)

    assert again.id == first.id
    assert [flag.id for flag in store.flags()] == [other_label.id, first.id]


def test_add_refuses_what_is_no_picture_no_label_or_too_much(store):
    with pytest.raises(FlagsError, match="Only a picture"):
        store.add(b"text", recognition(), "7", MODEL)
    with pytest.raises(FlagsError, match="Received: 'seven'"):
        store.add(picture(), recognition(), "seven", MODEL)
    with pytest.raises(FlagsError, match="full"):
        FlagStore(store.folder, limit=10).add(picture(), recognition(), "7", MODEL)
    assert store.flags() == []


def test_add_from_many_threads_loses_nothing(store):
    with ThreadPoolExecutor(8) as pool:
        flags = list(pool.map(lambda shade: store.add(picture(shade), recognition(), "7", MODEL), range(40)))

    assert {flag.id for flag in store.flags()} == {flag.id for flag in flags}


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_add_from_killed_processes_loses_doubles_and_tears_nothing():
    options = "--writers 0 --rounds 1 --processes 4 --flags 25 --kills 3"

    ran = run_python(PROJECT / "benchmarks" / "corrections.py", *options.split())

    assert "| 0 | 100 | 100 | 0 | 0 | 0 |" in ran.stdout, ran.stderr
    assert "intact: 1 of 1 rounds" in ran.stdout


KILLED_AT_STEP = """
import os, signal, sys
from digits.flags import FlagStore
from digits.recognition import Recognition

def count(step):
    def counted(*arguments):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*arguments)
    return counted

picture = bytes.fromhex(sys.argv[3])
store, left = FlagStore(sys.argv[1]), int(sys.argv[2])
os.fsync, os.replace = count(os.fsync), count(os.replace)
store.add(picture, Recognition(), "7", "a")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_store_is_mended_after_a_kill_at_any_step_of_add(store, step):
    before = store.add(picture(), recognition(), "7", MODEL)

    killed = run_python("-c", KILLED_AT_STEP, store.folder, step, picture(200).hex())
    mended = FlagStore(store.folder)

    assert killed.returncode == -9
    assert before.id in {flag.id for flag in mended.flags()}
    names = {flag.picture_path.name for flag in mended.flags()}
    assert {path.name for path in (store.folder / "images").iterdir()} == names
    mended.add(picture(200), recognition(), "7", MODEL)
    assert len(mended.flags()) == 2


def test_a_torn_line_is_taken_back_before_the_next_flag(store):
    store.add(picture(), recognition(), "7", MODEL)
    with (store.folder / "metadata.jsonl").open("a") as file:
        file.write('{"file_name": "images/0123')

    store.add(picture(1), recognition(), "7", MODEL)

    assert len(store.flags()) == 2


def test_a_last_line_whose_newline_an_editor_removed_is_kept(store):
    flag = store.add(picture(), recognition(), "7", MODEL)
    metadata = store.folder / "metadata.jsonl"
    metadata.write_text(metadata.read_text().rstrip("\n"))

    assert store.get(flag.id).label == "7"


def test_mend_sets_damaged_lines_and_strays_aside_and_touches_no_other_file(store):
    flag = store.add(picture(), recognition(), "7", MODEL)
    lost = store.add(picture(1), recognition(), "7", MODEL)
    lost.picture_path.unlink()
    (store.folder / "images" / "0123456789abcdef.png").write_bytes(picture(2))
    (store.folder / "images" / "holiday.png").write_bytes(picture(3))

    mended = FlagStore(store.folder)

    assert len(mended.mended) == 2
    assert [kept.id for kept in mended.flags()] == [flag.id]
    assert lost.id in (store.folder / ".aside" / "lines.jsonl").read_text()
    assert (store.folder / ".aside" / "0123456789abcdef.png").exists()
    assert (store.folder / "images" / "holiday.png").exists()


def test_a_folder_of_another_data_set_is_refused_and_left_alone(store):
    (store.folder / "images").mkdir(parents=True)
    (store.folder / "images" / "a.png").write_bytes(picture())
    line = json.dumps({"file_name": "images/a.png", "label": "cat"}) + "\n"
    (store.folder / "metadata.jsonl").write_text(line)

    with pytest.raises(FlagsError, match="Line 1"):
        FlagStore(store.folder).flags()
    assert (store.folder / "metadata.jsonl").read_text() == line


def test_moving_the_folder_breaks_nothing(store, tmp_path):
    flag = store.add(picture(), recognition(), "7", MODEL)
    shutil.move(store.folder, tmp_path / "elsewhere")

    assert FlagStore(tmp_path / "elsewhere").get(flag.id).picture_path.read_bytes() == picture()


def test_relabel_and_delete_change_one_flag(store):
    wrong, unwanted = (store.add(picture(shade), recognition(), None, MODEL) for shade in (1, 2))

    store.relabel(wrong.id, "1")
    store.delete(unwanted.id)

    assert [(flag.id, flag.label) for flag in store.flags()] == [(wrong.id, "1")]
    assert not unwanted.picture_path.exists()
    with pytest.raises(FlagsError, match="No flag"):
        store.relabel(unwanted.id, "1")


def test_export_holds_the_documented_image_folder_layout(store, tmp_path):
    store.add(picture(), recognition(), "7", MODEL)
    store.add(picture(1), Recognition(), None, MODEL)

    with zipfile.ZipFile(store.export(tmp_path / "flags.zip")) as archive:
        rows = [json.loads(line) for line in archive.read("metadata.jsonl").splitlines()]
        assert sorted(archive.namelist()) == sorted(["metadata.jsonl", *(row["file_name"] for row in rows)])
        assert [row["label"] for row in rows] == ["7", None]


def test_export_loads_with_datasets(store, tmp_path):
    import datasets

    store.add(picture(), recognition("12"), "17", MODEL)
    store.add(picture(1), Recognition(), None, MODEL)
    with zipfile.ZipFile(store.export(tmp_path / "flags.zip")) as archive:
        archive.extractall(tmp_path / "export")

    rows = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "export"), cache_dir=str(tmp_path / "cache"))

    assert rows["train"]["label"][:] == ["17", None]
    assert rows["train"][0]["image"].size == (40, 30)


def test_commands_list_relabel_export_and_delete(store, tmp_path):
    flag = store.add(picture(), recognition(), None, MODEL)

    def digits_flags(*arguments):
        return CliRunner().invoke(app, ["flags", *arguments, "--folder", str(store.folder)], catch_exceptions=False)

    assert flag.id in digits_flags("list").output
    digits_flags("relabel", flag.id, "1")
    assert store.get(flag.id).label == "1"
    digits_flags("export", str(tmp_path / "flags.zip"))
    assert zipfile.is_zipfile(tmp_path / "flags.zip")
    digits_flags("delete", flag.id)
    assert store.flags() == []
    assert "Nothing to mend" in digits_flags("mend").output
