"""What is handed on works: wheel and sdist, the container, the Space, and what CI is told."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import yaml
from huggingface_hub import metadata_load
from pictures import draw_digit
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = {
    "digits/model.onnx",
    "digits/ink.onnx",
    "digits/sequence.onnx",
    "digits/py.typed",
    "digits/web/assets/pad.js",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that is built from the sdist that is built from a copy of the checkout."""
    checkout, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    shutil.copytree(ROOT / "digits", checkout / "digits", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, checkout], check=True)
    assert [path.suffix for path in sorted(out.iterdir())] == [".whl", ".gz"]
    return next(out.glob("*.whl"))


def test_wheel_built_from_the_sdist_reads_a_picture_where_it_is_installed(wheel, tmp_path):
    assert set(zipfile.ZipFile(wheel).namelist()) >= SHIPPED
    installed = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", installed, wheel]
    subprocess.run(pip, check=True)
    Image.fromarray(draw_digit(7)).save(tmp_path / "7.png")
    command = [sys.executable, "-m", "digits", "predict", "7.png", "--format", "jsonl"]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert json.loads(said)["text"] == "7"
    code = "import digits; print(digits.__file__)"
    where = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert Path(where.stdout.strip()).is_relative_to(installed)


# The container


@pytest.fixture(scope="module")
def dockerfile():
    """Its instructions in their order: (name, arguments)."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text("utf-8"))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line and not line.startswith("#")]


def test_container_is_no_root_and_takes_what_it_copies_from_what_is_let_in(dockerfile):
    names = [name for name, _ in dockerfile]
    assert ("USER", "digits") in dockerfile and names.index("USER") > names.index("RUN")
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = [arguments.split()[0] for name, arguments in dockerfile if name == "COPY"]
    assert sorted(copied) == sorted(let_in) and all((ROOT / path).exists() for path in copied)


@pytest.mark.skipif(sys.platform == "win32", reason="containers run Linux")
@pytest.mark.parametrize("password", ["", "open sesame"])
def test_what_the_container_starts_is_healthy_and_ends_when_it_is_asked_to(dockerfile, tmp_path, password):
    for source in (arguments.split()[0] for name, arguments in dockerfile if name == "COPY"):
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, tmp_path / source)
    told = dict(dockerfile)
    variables = dict(pair.split("=") for pair in told["ENV"].split())
    environment = os.environ | variables | {"DIGITS_PASSWORD": password, "PYTHONPATH": ""}
    port = str(random.randrange(20_000, 30_000))
    here = {"python": sys.executable, "0.0.0.0": "127.0.0.1", told["VOLUME"]: str(tmp_path / "flagged")}
    start = [here.get(part, part) for part in json.loads(told["ENTRYPOINT"]) + json.loads(told["CMD"])]
    check = [here.get(part, part) for part in json.loads(told["HEALTHCHECK"].partition("CMD ")[2])]

    def is_well():
        return not subprocess.run([*check, port], cwd=tmp_path, env=environment, capture_output=True).returncode

    assert not is_well()
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([*start, "--port", port], cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 60
        while not is_well():
            assert server.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
        assert '"path": "/api/health", "status": 200' in (tmp_path / "log").read_text()
    finally:
        server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


def test_space_runs_the_container_on_its_port(dockerfile):
    told = metadata_load(ROOT / "docs" / "space.md")
    assert told["sdk"] == "docker" and str(told["app_port"]) == dict(dockerfile)["EXPOSE"]


# What CI is told


def test_workflow_runs_what_there_is():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8"))
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert "bash .ci/run" in commands
    tests = [word for command in commands if command.startswith("pytest") for word in command.split()[1:]]
    assert len(tests) > 5 and all((ROOT / test).is_file() for test in tests)


def test_pre_commit_runs_the_lints_of_ci():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    run = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert {hook["entry"] for hook in hooks if hook["entry"].startswith("ruff")} == {
        line for line in run if line.startswith("ruff")
    }
