"""Ports: where a server listens, and what its user should know about who can reach it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from digits.errors import DigitsError
from digits.web.guard import LOOPBACK

PATIENCE = 10  # seconds for what was begun when a server is stopped; a picture takes 5 at most


def check_port(port: int) -> None:
    """Raises DigitsError if there is no port of that number."""
    if not 1 <= port <= 65535:
        raise DigitsError(f"There is no port {port}. Expected a number from 1 to 65535: name one with --port.")


def check_free(host: str, port: int) -> None:
    """Raises OSError if somebody listens on the port, or the host is none of this computer's."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OSError(
                f"{host}:{port} cannot be listened on: {error.strerror or error}. Name another --port."
            ) from error


def find_free_port(host: str, port: int) -> int:
    """The first port from `port` on that nobody listens on.

    Raises DigitsError if there is no such port, OSError if none of 100 is free.
    """
    check_port(port)
    problem: OSError | None = None
    for candidate in range(port, min(port + 100, 65536)):
        try:
            check_free(host, candidate)
        except OSError as error:
            problem = problem or error
            continue
        return candidate
    raise OSError(f"No port from {port} to {port + 99} is free on {host}. ({problem})") from problem


def warnings_for(
    host: str, share: bool = False, password: str | None = None, shared_flags: bool = False
) -> Iterator[str]:
    """What whoever starts a server should know if others can reach it."""
    if host in LOOPBACK and not share:
        return
    who = "Everybody on the internet who has the link" if share else "Every computer that reaches this one"
    locked = "who knows the password " if password else ""
    yield f"Warning: {who} {locked}can have pictures read by this program."
    if password is None:
        yield "Warning: no password is asked for. Set one in the variable DIGITS_PASSWORD."
    if shared_flags:
        yield "Warning: all of them can see, change and delete every flagged picture (--shared-flags)."
