"""What scanners and phones make: each page of a file is a picture, in every way in."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from pictures import pages_of

from digits import Page, PictureError, Recognizer, apart, find_pages
from digits.pages import MOST_PAGES
from digits.sources import find_pictures

NUMBERS = ("12", "345", "67")
HEIC = Path(__file__).with_name("12.heic")
KINDS = {
    "PDF": lambda: pages_of("PDF", *NUMBERS),
    "TIFF": lambda: pages_of("TIFF", *NUMBERS),
    "BigTIFF": lambda: pages_of("TIFF", *NUMBERS, big_tiff=True, compression="tiff_lzw"),
}


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


@pytest.mark.parametrize("kind", KINDS)
def test_each_page_of_a_file_is_a_picture_and_alone_it_is_the_first_with_a_note(recognizer, kind):
    file = KINDS[kind]()
    assert [result.text for result in recognizer.recognize_many(find_pages(file))] == list(NUMBERS)
    first = recognizer.recognize(file)
    assert (first.text, first.notes[0]) == ("12", "the first of 3 pages")
    with pytest.raises(PictureError, match=r"no page 4. Expected one of 1 to 3"):
        recognizer.recognize(Page(file, 4))


def test_a_photo_of_a_phone_is_read(recognizer):
    assert recognizer.recognize(HEIC).text == "12"
    assert [entry.key for entry in find_pictures(str(HEIC))] == [str(HEIC)]


def test_what_is_missing_to_read_a_photo_of_a_phone_is_said_in_one_sentence(recognizer, monkeypatch, tmp_path):
    (tmp_path / "pi_heif.py").write_text("raise ModuleNotFoundError(name='pi_heif')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PictureError, match=r"needs pi-heif. Install it with: pip install pi-heif. Or export"):
        recognizer.recognize(HEIC)


def test_a_decoder_that_crashes_or_hangs_ends_with_a_sentence(recognizer, monkeypatch, tmp_path):
    (tmp_path / "pi_heif.py").write_text("import os; os.abort()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PictureError, match="could not be drawn within"):
        recognizer.recognize(HEIC)
    (tmp_path / "pi_heif.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr(apart, "PATIENCE", 1)
    with pytest.raises(PictureError, match="could not be drawn within"):
        recognizer.recognize(HEIC)


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """A folder with a PDF of twelve pages, and the same in archives; a manifest and a TIFF."""
    folder = tmp_path_factory.mktemp("scans")
    numbers = [str(number) for number in range(11, 23)]
    (folder / "a.pdf").write_bytes(pages_of("PDF", *numbers))
    (folder / "b.tif").write_bytes(pages_of("TIFF", "7", "4"))
    with zipfile.ZipFile(folder / "all.zip", "w") as archive, tarfile.open(folder / "all.tar", "w") as tar:
        for name in ("a.pdf", "b.tif"):
            archive.write(folder / name, name)
            tar.add(folder / name, name)
    (folder / "list.txt").write_text("b.tif\na.pdf\n")
    return folder


def predict(*arguments) -> list[dict]:
    """The rows of the command, in a process of its own."""
    command = [sys.executable, "-m", "digits", "predict", *map(str, arguments), "--format", "jsonl"]
    return [json.loads(line) for line in subprocess.run(command, capture_output=True, check=True).stdout.splitlines()]


@pytest.mark.parametrize("source", ["", "all.zip", "all.tar", "list.txt"])
def test_every_source_gives_a_row_for_each_page_in_order_with_its_name(source, scans):
    rows = predict(scans / source)
    pages = [("a.pdf", page, str(10 + page)) for page in range(1, 13)]
    pages[0 if source == "list.txt" else 12 : 0] = [("b.tif", 1, "7"), ("b.tif", 2, "4")]
    assert [row["text"] for row in rows] == [text for _, _, text in pages]
    assert [Path(row["picture"]).name for row in rows] == [f"{name}#{page}" for name, page, _ in pages]


def test_standard_input_takes_a_pdf(scans):
    command = [sys.executable, "-m", "digits", "predict", "-", "--format", "jsonl"]
    ended = subprocess.run(command, input=(scans / "a.pdf").read_bytes(), capture_output=True, check=True)
    row = json.loads(ended.stdout)
    assert (row["text"], row["notes"][0]) == ("11", "the first of 12 pages")


def test_a_damaged_pdf_is_a_row_with_its_error_and_the_others_are_read(tmp_path):
    whole = pages_of("PDF", "12")
    (tmp_path / "a.pdf").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "b.pdf").write_bytes(whole)
    command = [sys.executable, "-m", "digits", "predict", str(tmp_path), "--format", "jsonl"]
    ended = subprocess.run(command, capture_output=True, check=False)
    cut, read = map(json.loads, ended.stdout.splitlines())
    assert ended.returncode == 1 and "damaged or cut short" in cut["error"]
    assert (read["text"], read["picture"]) == ("12", str(tmp_path / "b.pdf"))


def test_pages_beyond_the_most_that_are_read_are_a_row_with_an_error(monkeypatch, tmp_path):
    (tmp_path / "long.tif").write_bytes(pages_of("TIFF", "1", "2", "3"))
    monkeypatch.setattr("digits.sources.MOST_PAGES", 2)
    first, second, rest = find_pictures(str(tmp_path))
    assert (first.page, second.page, rest.page) == (1, 2, None)
    assert MOST_PAGES == 2_000 and "more than 2 pages" in rest.error
