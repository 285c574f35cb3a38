"""Starts the page: python app.py"""

from pathlib import Path
from typing import Annotated

import typer

from digits.errors import DigitsError


def main(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other computers in.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port; the next free one is taken if it is in use.")
    ] = 7860,
    model: Annotated[Path | None, typer.Option(help="Model file, .onnx or .h5; the shipped model if left out.")] = None,
    share: Annotated[bool, typer.Option("--share", help="Ask Gradio for a public link.")] = False,
    flagged: Annotated[Path, typer.Option(help="Folder for flagged pictures.")] = Path("flagged"),
    mcp: Annotated[bool, typer.Option("--mcp", help="Offer the program as an MCP tool (needs gradio[mcp]).")] = False,
    password: Annotated[
        str | None, typer.Option(envvar="DIGITS_PASSWORD", help="Asked of everybody; better set in the variable.")
    ] = None,
    shared_flags: Annotated[
        bool, typer.Option("--shared-flags", help="Let other computers see and change all flagged pictures.")
    ] = False,
    log: Annotated[
        bool, typer.Option("--log", envvar="DIGITS_LOG", help="Write a line for each request to standard error.")
    ] = False,
) -> None:
    """Serve the page that recognizes handwritten digits."""
    from digits.web.server import serve  # here, so that --help does not wait for Gradio

    try:
        serve(host, port, model, share, flagged, mcp, password, shared_flags, log)
    except (DigitsError, OSError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
