"""The check for known vulnerabilities, asked of a database on this computer."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "vulnerabilities.py"


class Database(BaseHTTPRequestHandler):
    """Knows one vulnerability, of pillow 11.0.0."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        bad = {"package": {"name": "pillow", "ecosystem": "PyPI"}, "version": "11.0.0"}
        body = json.dumps({"results": [{"vulns": [{"id": "PYSEC-1"}]} if one == bad else {} for one in asked]})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def database():
    server = HTTPServer(("127.0.0.1", 0), Database)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def check(database, *files):
    command = [sys.executable, SCRIPT, *files]
    return subprocess.run(command, env=os.environ | {"DIGITS_OSV": database}, capture_output=True, text=True)


def test_vulnerable_package_is_named_and_fails(database, tmp_path):
    (tmp_path / "pins.txt").write_text(
        "numpy==2.4.6 \\\n    --hash=sha256:00\npillow==11.0.0 ; sys_platform == 'linux'\n"
    )
    ended = check(database, tmp_path / "pins.txt")
    assert ended.returncode == 1
    assert ended.stdout.startswith("pillow 11.0.0: https://osv.dev/vulnerability/PYSEC-1\n")


def test_pinned_packages_are_all_asked_about(database):
    ended = check(database)
    assert ended.returncode == 0
    assert int(ended.stdout.split()[0]) > 40


def test_database_that_cannot_be_reached_is_said_and_is_no_verdict():
    ended = check("http://127.0.0.1:9")
    assert ended.returncode == 2 and ended.stdout == ""
    assert "cannot be reached" in ended.stderr and "Traceback" not in ended.stderr
