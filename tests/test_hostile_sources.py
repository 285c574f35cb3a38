"""Folders and archives made to hurt: each picture a row, the run goes on, and ends, in a process held to limits."""

import bz2
import gzip
import io
import json
import lzma
import os
import socket
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hostile import chunk, png, saved, white_rows
from limits import MEMORY, ROOT
from PIL import Image, ImageDraw

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")

COMMAND = """
import json, resource, sys
import cv2
from digits import cli
from digits.bulk import _recognizer

_recognizer(None)
idle = 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1])
memory, seconds = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (idle + memory, idle + memory))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
sys.argv = ["digits", "predict", *sys.argv[3:]]
cli.main()
"""


PACK = {"": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def one() -> bytes:
    image = Image.new("L", (60, 60), 255)
    ImageDraw.Draw(image).line([(30, 10), (30, 50)], fill=0, width=6)
    return saved(image, "PNG")


def read(*sources, seconds=60, memory=MEMORY, status=1) -> list[dict]:
    """The rows of `digits predict` in a process that may take so much; status: how it must exit."""
    command = [sys.executable, "-c", COMMAND, str(memory), str(seconds), *map(str, sources)]
    command += ["--jobs", "1", "--format", "jsonl"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert ended.returncode == status, ended.stderr.decode()[-2000:]
    assert ended.stderr == b""
    return [json.loads(line) for line in ended.stdout.splitlines()]


def tar_of(path: Path, names: list[str], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(one())
            archive.addfile(info, io.BytesIO(one()))
    return path


@pytest.mark.parametrize("packed", ["", "gz", "bz2", "xz"])
@pytest.mark.parametrize("place", ["within a picture", "before a header", "within the end"])
def test_a_truncated_tar_is_read_as_far_as_it_goes_and_is_an_error(packed, place, tmp_path):
    plain = tar_of(tmp_path / "whole.tar", ["a.png", "b.png", "c.png"])
    member = 512 + 512 * -(-len(one()) // 512)
    end = {"within a picture": 2 * member + 600, "before a header": 2 * member, "within the end": 3 * member + 100}
    cut = plain.read_bytes()[: end[place]]
    path = tmp_path / f"cut.tar{'.' + packed if packed else ''}"
    path.write_bytes(PACK[packed](cut))
    rows = read(path)
    whole = {"within a picture": 2, "before a header": 2, "within the end": 3}[place]
    assert [row["text"] for row in rows if not row["error"]] == ["1"] * whole
    assert "archive" in rows[-1]["error"] or "unexpected end" in rows[-1]["error"]


def test_a_truncated_tar_gz_is_read_as_far_as_it_goes_and_is_an_error(tmp_path):
    whole = tar_of(tmp_path / "whole.tar.gz", [f"{number}.png" for number in range(500)], "w:gz").read_bytes()
    (tmp_path / "cut.tgz").write_bytes(whole[: len(whole) * 3 // 4])
    rows = read(tmp_path / "cut.tgz")
    assert sum(row["text"] == "1" for row in rows) > 100
    assert "archive cannot be read" in rows[-1]["error"]


def test_pipes_and_sockets_in_a_folder_are_rows_with_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(one())
    os.mkfifo(tmp_path / "b.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "c.png"))
        (tmp_path / "d.png").symlink_to("/dev/zero")
        rows = read(tmp_path)
    assert [bool(row["error"]) for row in rows] == [False, True, True, True]


@pytest.mark.parametrize("name", ["list.txt", "list.csv", "all.zip", "all.tar"])
def test_a_link_to_an_endless_device_is_a_row_with_an_error(name, tmp_path):
    (tmp_path / name).symlink_to("/dev/zero")
    (row,) = read(tmp_path / name)
    assert "device" in row["error"]


@pytest.mark.parametrize("name", ["list.txt", "list.csv"])
def test_a_manifest_of_one_endless_line_is_a_row_with_an_error(name, tmp_path):
    with (tmp_path / name).open("wb") as file:
        file.truncate(3_000_000_000)
    (row,) = read(tmp_path / name, memory=200_000_000)
    assert "a line has more than" in row["error"]


def test_endless_standard_input_is_a_row_with_an_error():
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", COMMAND, str(MEMORY), "60", "-", "--format", "jsonl", "--jobs", "1"]
    with Path("/dev/zero").open("rb") as zeros:
        ended = subprocess.run(command, stdin=zeros, capture_output=True, env=environment, check=False)
    assert "Expected at most 100,000,000" in json.loads(ended.stdout)["error"]


def blank_bitmap(side: int) -> bytes:
    return saved(Image.new("L", (side, side), 255), "BMP")


def test_a_zip_of_large_members_takes_no_more_than_600_mb(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(12):
            archive.writestr(f"{number}.bmp", blank_bitmap(9_500))
    rows = read(tmp_path / "bomb.zip")
    assert 1 < len(rows) < 12
    assert all(row["notes"] for row in rows[:-1])
    assert "unpacks to more than 100 times its size" in rows[-1]["error"]


def test_a_tar_gz_that_unpacks_to_gigabytes_ends(tmp_path):
    block = tarfile.TarInfo("big.bin")
    block.size = 8_000_000_000
    with gzip.open(tmp_path / "bomb.tar.gz", "wb", 9) as file:
        file.write(block.tobuf(tarfile.GNU_FORMAT))
        for _ in range(600):
            file.write(bytes(1_000_000))
    (row,) = read(tmp_path / "bomb.tar.gz", memory=200_000_000, seconds=20)
    assert "unpacks to more than 100 times its size" in row["error"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_whose_header_claims_gigabytes_takes_no_memory(kind, tmp_path):
    header = tarfile.TarInfo("a.png")
    header.type, header.size = kind, 3_000_000_000
    with (tmp_path / "claims.tar").open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.truncate(3_000_001_024)
    (row,) = read(tmp_path / "claims.tar", memory=150_000_000)
    assert "claims 3,000,000" in row["error"]


def test_a_zip_with_a_name_that_is_no_utf8_is_a_row_with_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "names.zip", "w") as archive:
        archive.writestr("ä.png", one())
    content = (tmp_path / "names.zip").read_bytes()
    (tmp_path / "names.zip").write_bytes(content.replace("ä".encode(), b"\xff\xfe"))
    (row,) = read(tmp_path / "names.zip")
    assert "archive cannot be read" in row["error"]


def test_a_zip_that_is_encrypted_or_packed_in_an_unknown_way_is_rows_with_errors(tmp_path):
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr("a.png", one())
    content = bytearray((tmp_path / "odd.zip").read_bytes())
    central = content.rindex(b"PK\1\2")
    for place in (6, central + 8):
        struct.pack_into("<H", content, place, 1)  # encrypted
    (tmp_path / "locked.zip").write_bytes(content)
    for place in (6, central + 8):
        struct.pack_into("<HH", content, place, 0, 97)  # WavPack
    (tmp_path / "odd.zip").write_bytes(content)
    rows = read(tmp_path / "locked.zip", tmp_path / "odd.zip")
    assert len(rows) == 2 and all("archive's member cannot be read" in row["error"] for row in rows)


def test_a_folder_nested_a_thousand_deep_is_read(tmp_path):
    deep = tmp_path / "a"
    deep.mkdir()
    for _ in range(1_200):
        deep = deep / "a"
        deep.mkdir()
    (deep / "one.png").write_bytes(one())
    assert [row["text"] for row in read(tmp_path, status=0)] == ["1"]
    subprocess.run(["rm", "-r", str(tmp_path / "a")], check=True)


def test_a_png_of_a_lie_takes_nothing_from_the_others(tmp_path):
    (tmp_path / "a.png").write_bytes(png(400, 400, chunk(b"IDAT", white_rows(400, 400), claimed=4_000_000_000)))
    (tmp_path / "b.png").write_bytes(one())
    assert [row["text"] for row in read(tmp_path, status=0)] == ["", "1"]  # its rows are there, whatever it claims
