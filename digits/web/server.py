"""Server: the page on a port of this computer."""

from __future__ import annotations

import importlib.util
import signal
import sys
import threading
from pathlib import Path

from starlette.middleware import Middleware

import digits
from digits.errors import DigitsError
from digits.flags import DropBox, FlagStore
from digits.web.guard import LOOPBACK, Guard, own_hosts
from digits.web.ports import PATIENCE, check_port, find_free_port, warnings_for
from digits.web.watch import Watch, WatchedRecognizer, log_requests


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    model: str | Path | None = None,
    share: bool = False,
    flagged: str | Path = "flagged",
    mcp: bool = False,
    password: str | None = None,
    shared_flags: bool = False,
    log: bool = False,
) -> None:
    """Serve the page until interrupted; what was begun is finished.

    host: address to listen on; 0.0.0.0 lets other computers in.
    port: the next free one is taken if this is in use, and said.
    model: as in Recognizer. flagged: folder of flagged pictures.
    share: ask Gradio for a public link. mcp: offer the program as an MCP tool (needs the mcp package).
    password: as in Guard. shared_flags: whoever reaches the page from another computer may see and change all flags.
    log: write a line of JSON for each request to standard error.

    Raises ModelError if there is no model to serve, FlagsError if the folder cannot be used, DigitsError if mcp is
    asked for and missing, or if there is no such port.
    """
    check_port(port)
    if mcp and importlib.util.find_spec("mcp") is None:
        raise DigitsError("To serve MCP the package mcp is needed. Install it with: pip install 'gradio[mcp]'")
    recognizer = WatchedRecognizer(model)
    own = host in LOOPBACK and not share
    flags = FlagStore(flagged) if own or shared_flags else DropBox(flagged)
    flags.check()
    # After the model and the flags: Gradio takes seconds to import, and what is missing should be said at once.
    from digits.web.actions import LARGEST_UPLOAD, Actions
    from digits.web.api import Beside, create_interface
    from digits.web.page import LOOK, TITLE, build_page
    from digits.web.routes import create_routes

    actions = Actions(recognizer, flags, own)
    page = build_page(actions)
    free = find_free_port(host, port)
    if free != port:
        print(f"Port {port} is in use; taking {free} instead.", flush=True)
    hosts = None if share else own_hosts(host)
    if log:
        log_requests()
    for sentence in warnings_for(host, share, password, shared_flags):
        print(sentence, file=sys.stderr, flush=True)
    asked = _request_to_end()  # heard from here on: whoever finds the server well may end it at once
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
            "middleware": [
                Middleware(Watch),
                Middleware(Guard, hosts=hosts, password=password),
                Middleware(Beside, interface=create_interface(recognizer)),
            ],
            "routes": create_routes(actions),
        },
        **LOOK,
    )
    print(f"{TITLE}: http://{host}:{free} (Ctrl+C stops it)", flush=True)
    while not asked.wait(0.2):  # a wait without limit hears nothing on Windows
        pass
    page.close(verbose=False)
    page.server.thread.join(PATIENCE)


def _request_to_end() -> threading.Event:
    """Set as soon as the user presses Ctrl+C, or the system asks the process to end."""
    asked = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: asked.set())
    return asked
