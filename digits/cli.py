"""The command `digits`: each command translates what the user typed into a call of the room that does the work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from digits.errors import DigitsError

app = typer.Typer(
    help="Read handwritten digits and numbers from pictures.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
flags_app = typer.Typer(help="Look after the pictures that people flagged.", no_args_is_help=True)
model_app = typer.Typer(help="Choose which model answers.", no_args_is_help=True)
app.add_typer(flags_app, name="flags")
app.add_typer(model_app, name="model")

Model = Annotated[Path | None, typer.Option(help="Model file (.onnx or .h5) instead of the one in use.")]


def main() -> None:
    """Run the command line; a DigitsError becomes one line and exit code 1."""
    try:
        app()
    except DigitsError as error:
        print(f"digits: {error}", file=sys.stderr)
        sys.exit(1)


@app.command()
def evaluate(
    data: Annotated[Path | None, typer.Option(help="Folder of drawings to evaluate on, besides MNIST.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report; printed only if none is given.")] = None,
    model: Model = None,
) -> None:
    """Measure a model: accuracy, calibration and what it does with what is no digit."""
    try:
        from digits.training.evaluate import evaluate as run_evaluation
    except ModuleNotFoundError as error:
        raise DigitsError(
            f'Evaluating needs {error.name}. Install it with: pip install "digits[training]"'
        ) from error
    run_evaluation(model, data, out)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 7860,
    page: Annotated[bool, typer.Option("--page/--no-page", help="The web page, or only the HTTP interface.")] = True,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer; more than 1 only with --no-page.")] = 1,
    model: Model = None,
) -> None:
    """Serve the web page and the HTTP interface."""
    if page and workers > 1:
        raise typer.BadParameter("the page runs in one process; use --no-page for more.", param_hint="--workers")
    if page:
        from digits.web.server import serve as run_server

        run_server(host=host, port=port, model=model)
    else:
        from digits.web.api import serve as run_api

        run_api(host=host, port=port, model=model, workers=workers)


# Commands on flagged pictures: digits/flags.py does the work.


# Commands on models: digits/models.py does the work.
