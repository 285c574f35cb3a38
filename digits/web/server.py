"""Server: the page on a port of this computer."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

from starlette.middleware import Middleware

import digits
from digits.errors import DigitsError
from digits.flags import FlagStore
from digits.recognizer import Recognizer
from digits.web.guard import LOOPBACK, Guard, own_hosts


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    model: str | Path | None = None,
    share: bool = False,
    flagged: str | Path = "flagged",
    mcp: bool = False,
) -> None:
    """Serve the page until interrupted.

    host: address to listen on; 0.0.0.0 lets other computers in.
    port: the next free one is taken if this is in use, and said.
    model: as in Recognizer. flagged: folder of flagged pictures.
    share: ask Gradio for a public link. mcp: offer the program as an MCP tool (needs the mcp package).

    Raises ModelError if there is no model to serve, FlagsError if the folder cannot be used, DigitsError if mcp is
    asked for and missing.
    """
    if mcp and importlib.util.find_spec("mcp") is None:
        raise DigitsError("To serve MCP the package mcp is needed. Install it with: pip install 'gradio[mcp]'")
    recognizer = Recognizer(model)
    # After the model: Gradio takes seconds to import, and a missing model should be said at once.
    from digits.web.actions import LARGEST_UPLOAD, Actions
    from digits.web.api import create_router
    from digits.web.page import LOOK, TITLE, build_page
    from digits.web.routes import create_routes

    actions = Actions(recognizer, FlagStore(flagged), own=host in LOOPBACK and not share)
    page = build_page(actions)
    free = find_free_port(host, port)
    if free != port:
        print(f"Port {port} is in use; taking {free} instead.", flush=True)
    hosts = None if share else own_hosts(host)
    page.launch(
        server_name=host,
        server_port=free,
        share=share,
        mcp_server=mcp,
        max_file_size=LARGEST_UPLOAD,
        run_history=False,
        quiet=True,
        prevent_thread_lock=True,
        app_kwargs={
            "title": TITLE,
            "version": digits.__version__,
            "middleware": [Middleware(Guard, hosts=hosts)],
            "routes": [*create_router(recognizer).routes, *create_routes(actions)],
        },
        **LOOK,
    )
    print(f"{TITLE}: http://{host}:{free} (Ctrl+C stops it)", flush=True)
    page.block_thread()


def find_free_port(host: str, port: int) -> int:
    """The first port from `port` on that nobody listens on. Raises OSError if none of 100 is free."""
    for candidate in range(port, min(port + 100, 65536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return candidate
    raise OSError(f"No port from {port} to {port + 99} is free on {host}. Name another with --port.")
