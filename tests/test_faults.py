"""Faults that really happen here: a full disk, a killed server, a lost network, a clock that was set back.

Others have their tests where the room is: kills at each step (test_flags.py, test_models.py, test_bulk.py), training
killed and resumed (test_train_model.py), a port that is taken (web/test_hostile_requests.py), a full disk while rows
are written (test_hostile_commands.py).
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hostile import saved
from PIL import Image

from digits import flags, models
from digits.classifier import SHIPPED_MODEL, Classifier
from digits.errors import DataError, FlagsError
from digits.files import replace_file
from digits.flags import FlagStore
from digits.models import ModelHistory
from digits.recognition import Recognition

ROOT = Path(__file__).resolve().parents[1]
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")


def picture(shade: int = 0) -> bytes:
    return saved(Image.fromarray(np.random.default_rng(shade).integers(0, 256, (60, 60), np.uint8)), "PNG")


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)  # the system answers as on a full disk
"""


@needs_posix
@pytest.mark.parametrize("room", [0, 2_000, 4_200])
def test_a_full_disk_while_flagging_is_a_sentence_and_loses_nothing(tmp_path, room):
    store = FlagStore(tmp_path / "flagged")
    before = [store.add(picture(number), Recognition(), str(number), "a").id for number in range(9)]
    size = (store.folder / "metadata.jsonl").stat().st_size
    ended = python(
        FULL + "from digits.flags import FlagStore\nfrom digits.recognition import Recognition\n"
        "from digits.errors import FlagsError\n"
        "try: FlagStore(sys.argv[2]).add(bytes.fromhex(sys.argv[3]), Recognition(), '7', 'a')\n"
        "except FlagsError as error: print(error)",
        room if room < 4_200 else size + 10,  # room for the picture, not for all of its line
        store.folder,
        picture(99).hex(),
    )
    assert "cannot be used" in ended.stdout and "room on its disk" in ended.stdout, ended.stderr
    mended = FlagStore(store.folder)
    assert [flag.id for flag in mended.flags()][::-1] == before
    mended.add(picture(99), Recognition(), "7", "a")
    assert len(mended.flags()) == 10


@needs_posix
def test_a_full_disk_while_a_model_is_saved_leaves_the_old_one_whole(tmp_path):
    target = tmp_path / "model.onnx"
    target.write_bytes(SHIPPED_MODEL.read_bytes())
    ended = python(
        FULL + "from pathlib import Path\nfrom digits.files import replace_file\n"
        "try: replace_file(Path(sys.argv[2]), bytes(2_000_000))\nexcept OSError as error: print('full')",
        1_000_000,
        target,
    )
    assert ended.stdout == "full\n"
    assert list(tmp_path.iterdir()) == [target]
    assert Classifier(target).digest == Classifier().digest


def test_a_folder_that_became_read_only_is_a_sentence(tmp_path, monkeypatch):
    store = FlagStore(tmp_path / "flagged")
    flag = store.add(picture(), Recognition(), "1", "a")

    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(flags, "replace_file", refuse)
    for change in (lambda: store.add(picture(1), Recognition(), "1", "a"), lambda: store.relabel(flag.id, "2")):
        with pytest.raises(FlagsError, match="Read-only file system"):
            change()
    assert store.get(flag.id).label == "1"


def test_a_model_replaced_by_a_damaged_and_then_a_good_one_while_serving(tmp_path):
    served = tmp_path / "model.onnx"
    content = SHIPPED_MODEL.read_bytes()
    served.write_bytes(content)
    classifier = Classifier(served)
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    expected = classifier.classify(images)
    for damaged in (content[:100_000], b"", content[:500] + bytes(len(content) - 500)):
        replace_file(served, damaged)
        assert np.array_equal(classifier.classify(images), expected)
    replace_file(served, content + bytes([0xC2, 0x3E, 1, 0]))  # one more field, which a reader of protobuf skips
    before = classifier.digest
    assert np.array_equal(classifier.classify(images), expected)
    assert classifier.digest == before != Classifier().digest


WRITER = """
import sys
from digits.flags import FlagStore
from digits.recognition import Recognition
from PIL import Image
import io
store = FlagStore(sys.argv[1])
for number in range(int(sys.argv[3])):
    file = io.BytesIO()
    Image.new("L", (int(sys.argv[2]), number + 1)).save(file, "PNG")
    print(store.add(file.getvalue(), Recognition(), "1", "a").id, flush=True)
"""


@needs_posix
def test_two_programs_on_one_folder_of_which_one_is_killed_lose_no_flag_that_was_acknowledged(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "flagged")]
    both = [
        subprocess.Popen([*command, width, count], stdout=subprocess.PIPE, env=environment, text=True)
        for width, count in (("10", "30"), ("20", "10000"))
    ]
    acknowledged = [both[1].stdout.readline().strip() for _ in range(5)]
    both[1].send_signal(signal.SIGKILL)
    acknowledged += [line.strip() for line in both[1].stdout.read().splitlines() if len(line.strip()) == 16]
    acknowledged += both[0].communicate()[0].split()
    both[1].wait()
    kept = {flag.id for flag in FlagStore(tmp_path / "flagged").flags()}
    assert kept >= set(acknowledged) and len(kept) - len(set(acknowledged)) <= 1  # one may have been under way


def test_a_network_that_is_lost_in_a_download_is_a_sentence_and_nothing_is_kept(tmp_path, monkeypatch):
    data = pytest.importorskip("digits.training.data")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer_by_halves, args=(listening,), daemon=True).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        monkeypatch.setattr(data, "KERAS_URL", address)
        monkeypatch.setattr(data, "IDX_URL", address + "{name}.gz")
        monkeypatch.setattr(data.shutil, "which", lambda name: None)
        monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "cache"))
        with pytest.raises(DataError, match="--data FOLDER"):
            data.load_mnist()
    assert not (tmp_path / "cache").exists()


def answer_by_halves(listening: socket.socket) -> None:
    """Every question gets 1,000 of the 2,000 bytes that it was promised, and then nothing."""
    while True:
        try:
            connection = listening.accept()[0]
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(1000))


class Backward(datetime):
    """A clock that is set back by a year."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(UTC) - timedelta(days=365)


def test_a_clock_that_was_set_back_changes_no_order(tmp_path, monkeypatch):
    store = FlagStore(tmp_path / "flagged")
    first = store.add(picture(1), Recognition(), "1", "a")
    served = tmp_path / "model.onnx"
    served.write_bytes(SHIPPED_MODEL.read_bytes())
    history = ModelHistory(tmp_path / "models", served, tmp_path / "model.h5")
    new = tmp_path / "new.onnx"
    new.write_bytes(SHIPPED_MODEL.read_bytes() + bytes([0xC2, 0x3E, 1, 0]))
    before = Classifier(served).digest
    monkeypatch.setattr(flags, "datetime", Backward)
    monkeypatch.setattr(models, "datetime", Backward)
    second = store.add(picture(2), Recognition(), "2", "a")
    assert second.time < first.time
    assert [flag.id for flag in store.flags()] == [second.id, first.id]
    history.promote(new, tmp_path / "none.h5", "new")
    history.rollback()
    assert Classifier(served).digest == before
