"""Runs a script, and writes down every address that it connects to or looks up: watched.py LOG SCRIPT [OPTION...]"""

import runpy
import sys
from pathlib import Path

WATCHED = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}

log = Path(sys.argv[1]).open("a", buffering=1)  # noqa: SIM115 - for as long as the program runs


def note(event: str, arguments: tuple) -> None:
    if event in WATCHED:
        log.write(f"{event} {arguments}\n")


sys.addaudithook(note)
sys.argv = sys.argv[2:]
sys.path[0] = "."
runpy.run_path(sys.argv[0], run_name="__main__")
