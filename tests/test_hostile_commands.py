"""Commands that make no sense, models and folders that are not ours: a sentence, never a traceback; nothing is lost."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from hostile import saved
from onnx import TensorProto, helper
from PIL import Image, ImageDraw

from digits.bulk import CHUNK
from digits.classifier import SHIPPED_MODEL, Classifier
from digits.errors import FlagsError, ModelError
from digits.flags import DropBox, FlagStore
from digits.models import ModelHistory
from digits.recognition import Recognition

ROOT = Path(__file__).resolve().parents[1]


def one() -> bytes:
    image = Image.new("L", (60, 60), 255)
    ImageDraw.Draw(image).line([(30, 10), (30, 50)], fill=0, width=6)
    return saved(image, "PNG")


@pytest.fixture
def picture(tmp_path) -> Path:
    (tmp_path / "one.png").write_bytes(one())
    return tmp_path / "one.png"


def digits(*arguments, **options) -> subprocess.CompletedProcess[bytes]:
    options = {"capture_output": True, "check": False, "cwd": ROOT} | options
    ended = subprocess.run([sys.executable, "-m", "digits", *map(str, arguments)], **options)
    assert b"Traceback" not in ended.stderr, ended.stderr.decode()
    return ended


def in_one_line(ended: subprocess.CompletedProcess[bytes], words: str, status: int = 1) -> None:
    assert ended.returncode == status, ended.stderr
    assert words in " ".join(ended.stderr.decode().replace("│", "").split())
    if status == 1:
        assert ended.stderr.startswith(b"digits: ") and ended.stderr.count(b"\n") == 1


# --out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="devices of Linux")
def test_out_never_replaces_a_device(picture, tmp_path):
    (tmp_path / "full.csv").symlink_to("/dev/full")
    for out in ("/dev/full", "/dev/null", tmp_path / "full.csv"):
        in_one_line(digits("predict", picture, "--format", "csv", "--out", out), "device", status=2)
    assert Path("/dev/full").is_char_device() and Path("/dev/null").is_char_device()
    assert not Path("/dev/full.partial").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_out_never_replaces_a_pipe_a_folder_or_a_link(picture, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    in_one_line(digits("predict", picture, "--out", tmp_path / "pipe.csv"), "pipe", status=2)
    in_one_line(digits("predict", picture, "--out", tmp_path / "folder.csv"), "in the way", status=2)
    assert digits("predict", picture, "--out", tmp_path / "link.csv").returncode == 0
    assert (tmp_path / "pipe.csv").is_fifo() and (tmp_path / "folder.csv").is_dir()
    assert (tmp_path / "link.csv").is_symlink() and "one.png" in (tmp_path / "target.csv").read_text()


def test_out_of_an_unknown_ending_is_refused(picture, tmp_path):
    in_one_line(digits("predict", picture, "--out", tmp_path / "out.cvs"), ".cvs", status=2)
    assert list(tmp_path.iterdir()) == [picture]
    assert digits("predict", picture, "--format", "csv", "--out", tmp_path / "out.cvs").returncode == 0


def test_out_that_cannot_be_written_is_one_sentence(picture):
    in_one_line(digits("predict", picture, "--out", "/proc/out.csv"), "/proc/out.csv.partial cannot be used")


@pytest.mark.parametrize(
    ("package", "options"), [("pyarrow", ["--out", "o.parquet"]), ("ray", ["--engine", "ray", "--out", "o.csv"])]
)
def test_a_missing_package_is_said_before_anything_is_written(picture, tmp_path, package, options):
    code = (
        "import importlib.util, sys; find = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, *more: None if name == {package!r} else find(name, *more)\n"
        "sys.argv[0] = 'digits'; from digits.cli import main; main()"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, "predict", str(picture), *options]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    in_one_line(ended, f"needs {package}")
    assert list(tmp_path.iterdir()) == [picture]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="devices of Linux")
def test_a_full_disk_while_rows_are_written_is_one_sentence_and_nothing_is_lost(tmp_path):
    """A file size limit stands for the full disk: SQLite gets the same kind of answer."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3 * CHUNK):
        (folder / f"{number:03}.png").write_bytes(one())
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "from digits.cli import main; sys.argv = ['digits', *sys.argv[1:]]; main()"
    )
    arguments = ["predict", str(folder), "--jobs", "1", "--out", str(tmp_path / "out.jsonl")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    full = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, capture_output=True, check=False)
    assert full.returncode == 1 and full.stderr.count(b"\n") == 1 and full.stderr.startswith(b"digits: ")
    assert not (tmp_path / "out.jsonl").exists()
    assert digits(*arguments).returncode == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3 * CHUNK


# names


def test_control_characters_and_letters_that_a_locale_lacks_reach_no_terminal_and_stop_no_run(tmp_path):
    names = ["\x1b[31mred.png", "new\nline.png", "b\u00e4r.png"]
    for name in names:
        (tmp_path / name).write_bytes(one())
    (tmp_path / "\x1b]0;title\x07.png").write_bytes(b"no picture")
    environment = os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)}
    table = digits("predict", tmp_path, env=environment)
    assert table.returncode == 1
    assert table.stdout.count(b"\n") == 4 and b"\x1b" not in table.stdout and b"\x07" not in table.stdout
    rows = digits("predict", tmp_path, "--format", "jsonl", env=environment).stdout.decode("utf-8").splitlines()
    keys = {Path(json.loads(row)["picture"]).name for row in rows if json.loads(row)["text"] == "1"}
    assert keys == set(names)


def test_an_archive_that_changed_between_kill_and_resume_is_errors_never_a_mix_up(tmp_path):
    archive, journal = tmp_path / "a.zip", tmp_path / "out.jsonl.partial"
    write_zip(archive, ["x.png", "y.png", "z.png"])
    code = (
        "import sys; from digits import bulk, cli\n"
        "bulk.read_pictures = lambda *_: sys.exit(9)\n"
        "sys.argv = ['digits', *sys.argv[1:]]; cli.main()"
    )
    arguments = ["predict", str(archive), "--jobs", "1", "--out", str(tmp_path / "out.jsonl")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code, *arguments], env=environment, check=False).returncode == 9
    assert journal.exists()
    write_zip(archive, ["y.png"])
    assert digits(*arguments).returncode == 1
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == ["", "", ""]
    assert all("has changed" in row["error"] for row in rows)


def write_zip(path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, one())


@pytest.mark.parametrize("port", ["-1", "0", "99999"])
@pytest.mark.parametrize("command", [["app.py"], ["-m", "digits", "serve"], ["-m", "digits", "serve", "--no-page"]])
def test_a_port_that_there_is_none_of_is_refused_with_the_right_reason(port, command):
    ended = subprocess.run(
        [sys.executable, *command, "--port", port], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr and "--port" in ended.stderr and "free" not in ended.stderr


def test_train_model_without_the_training_requirements_is_one_sentence():
    code = (
        "import runpy, sys\n"
        "for name in ('keras', 'tensorflow', 'platformdirs', 'scipy', 'matplotlib'): sys.modules[name] = None\n"
        "sys.argv = ['train_model.py', '--help']\n"
        "runpy.run_path('train_model.py', run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1 and "pip install -r requirements-dev.txt" in ended.stderr


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"past": 3}', '{"past": [], "complete": false}', "\x00", '{"past": ["a"]}']
)
def test_a_damaged_service_file_is_one_sentence(tmp_path, content):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "service.json").write_text(content)
    in_one_line(digits("model", "list", "--folder", tmp_path / "models"), "service.json is damaged")


# models


def foreign_model(path: Path, outputs: list[list[int | str]], kind: int = TensorProto.FLOAT) -> Path:
    """An ONNX model that takes our pictures and answers zeros of these shapes (the first axis is 1)."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 28, 28, 1])
    nodes, infos, values = [], [], []
    for number, shape in enumerate(outputs):
        values.append(helper.make_tensor(f"v{number}", kind, shape, [0] * int(np.prod(shape))))
        nodes.append(helper.make_node("Identity", [f"v{number}"], [f"o{number}"]))
        infos.append(helper.make_tensor_value_info(f"o{number}", kind, shape))
    graph = helper.make_graph(nodes, "foreign", [image], infos, values)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        ([[2, 10]], TensorProto.FLOAT),
        ([[2, 10], [2, 2]], TensorProto.FLOAT),
        ([[2, 1000], [2, 1]], TensorProto.FLOAT),
        ([[2, 10], [2, 1], [2, 5]], TensorProto.FLOAT),
        ([[2, 10], [2, 1]], TensorProto.INT64),
    ],
)
def test_a_foreign_onnx_model_is_refused_at_load_with_a_sentence(tmp_path, outputs, kind):
    path = foreign_model(tmp_path / "foreign.onnx", outputs, kind)
    with pytest.raises(ModelError, match=r"foreign\.onnx .* Expected the probabilities"):
        Classifier(path)


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_foreign_keras_model_is_refused_at_load_with_a_sentence(tmp_path, outputs):
    keras = pytest.importorskip("keras")
    image = keras.Input((28, 28, 1))
    flat = keras.layers.Flatten()(image)
    keras.Model(image, [keras.layers.Dense(10)(flat) for _ in range(outputs)]).save(tmp_path / "foreign.h5")
    with pytest.raises(ModelError, match=r"foreign\.h5 .* Expected the probabilities"):
        Classifier(tmp_path / "foreign.h5")


@pytest.mark.parametrize("ending", [".onnx", ".h5", ".keras", ".txt"])
def test_a_damaged_model_is_one_sentence_on_the_command_line(picture, tmp_path, ending):
    (tmp_path / f"model{ending}").write_bytes(SHIPPED_MODEL.read_bytes()[:5_000])
    ended = digits("predict", picture, "--model", tmp_path / f"model{ending}")
    if ending in (".h5", ".keras"):  # TensorFlow has its own word first
        assert ended.returncode == 1 and f"digits: model{ending} is no Keras model" in ended.stderr.decode()
    else:
        in_one_line(ended, f"model{ending}")


# flags


def test_a_label_is_what_a_number_can_hold_and_short(tmp_path):
    store = FlagStore(tmp_path / "flagged")
    assert store.add(one(), Recognition(), "-3.14", "a").label == "-3.14"
    assert store.add(one(), Recognition(), "12\n345", "a").label == "12\n345"
    for label in ("1" * 1_000_000, "seven" * 50, "<script>", "\x1b[31m", "1\u0662"):
        with pytest.raises(FlagsError) as raised:
            store.add(one(), Recognition(), label, "a")
        assert len(str(raised.value)) < 300 and str(raised.value).isprintable()
    assert len(store.flags()) == 2


def test_the_limit_of_a_folder_counts_what_is_known_of_its_pictures_too(tmp_path):
    store = FlagStore(tmp_path / "flagged", limit=3_000)
    with pytest.raises(FlagsError, match="full"):
        for number in range(100):
            store.add(one(), Recognition(), str(number), "a")
    assert sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file()) <= 3_000


def test_a_drop_box_takes_flags_and_shows_none(tmp_path):
    box = DropBox(tmp_path / "flagged")
    flag = box.add(one(), Recognition(), "1", "a")
    for look in (box.flags, lambda: box.export(tmp_path / "all.zip")):
        with pytest.raises(FlagsError, match="--shared-flags"):
            look()
    assert box.relabel(flag.id, "7").label == "7"
    box.delete(flag.id)
    assert FlagStore(tmp_path / "flagged").flags() == []


def test_a_history_of_models_with_a_damaged_entry_is_a_sentence(tmp_path):
    history = ModelHistory(tmp_path / "models", tmp_path / "model.onnx")
    (tmp_path / "models" / "abc").mkdir(parents=True)
    (tmp_path / "models" / "abc" / "about.json").write_text("{")
    with pytest.raises(ModelError, match="damaged"):
        history.models()
