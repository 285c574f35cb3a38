"""The command `digits`: each command translates what the user typed into a call of the room that does the work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digits.errors import DigitsError, FlagsError

if TYPE_CHECKING:
    from digits.flags import FlagStore

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
    data: Annotated[Path | None, typer.Option(help="Folder with MNIST; downloaded if none is given.")] = None,
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
    typer.echo(run_evaluation(model, data, out))


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


FlagsFolder = Annotated[Path, typer.Option(help="Folder of the flagged pictures.")]
FlagId = Annotated[str, typer.Argument(help="Id of the flag, as `digits flags list` shows it.")]
ModelsFolder = Annotated[Path, typer.Option(help="Folder where old models are kept.")]


@flags_app.command("list")
def list_flags(folder: FlagsFolder = Path("flagged")) -> None:
    """List the flagged pictures, newest first."""
    store = _flag_store(folder)
    for flag in store.flags():
        label = "?" if flag.label is None else flag.label
        print(f"{flag.id}  {flag.time[:19]}  read {flag.predicted!r}  is {label!r}  {flag.picture_path}")


@flags_app.command("relabel")
def relabel_flag(
    id: FlagId,
    label: Annotated[str, typer.Argument(help='What the picture shows; "" if no digit is there.')],
    folder: FlagsFolder = Path("flagged"),
) -> None:
    """Say what a flagged picture truly shows."""
    flag = _flag_store(folder).relabel(id, label)
    print(f"{flag.id} is {flag.label!r}")


@flags_app.command("delete")
def delete_flag(id: FlagId, folder: FlagsFolder = Path("flagged")) -> None:
    """Delete a flag and its picture."""
    _flag_store(folder).delete(id)
    print(f"{id} is deleted")


@flags_app.command("export")
def export_flags(
    file: Annotated[Path, typer.Argument(help="Zip file to write.")], folder: FlagsFolder = Path("flagged")
) -> None:
    """Write all flags into a zip file, in the image-folder layout of Hugging Face datasets."""
    print(_flag_store(folder).export(file))


@flags_app.command("mend")
def mend_flags(folder: FlagsFolder = Path("flagged")) -> None:
    """Put the folder in order after a crash or an edit by hand."""
    if not _flag_store(folder).mended:
        print("Nothing to mend.")


def _flag_store(folder: Path) -> FlagStore:
    from digits.flags import FlagStore

    if not folder.is_dir():
        raise FlagsError(f"No flags in {folder}: there is no such folder. Name another one with --folder.")
    store = FlagStore(folder)
    for sentence in store.mended:
        print(f"Mended: {sentence}.")
    return store


@model_app.command("list")
def list_models(folder: ModelsFolder = Path("models")) -> None:
    """List the kept models, newest first; a star marks the one in service."""
    from digits.models import ModelHistory

    for model in ModelHistory(folder).models():
        print(f"{'*' if model.in_service else ' '} {model.id}  {model.time[:19]}  {model.note}")


@model_app.command("use")
def use_model(
    id: Annotated[str, typer.Argument(help="Id of a kept model, or how it begins.")],
    folder: ModelsFolder = Path("models"),
) -> None:
    """Put a kept model in service; a running page takes it up by itself."""
    from digits.models import ModelHistory

    print(f"In service: {ModelHistory(folder).use(id)}")


@model_app.command("rollback")
def roll_back_model(folder: ModelsFolder = Path("models")) -> None:
    """Go back to the model that was in service before this one."""
    from digits.models import ModelHistory

    print(f"In service: {ModelHistory(folder).rollback()}")
