"""The command `digits`: each command translates what the user typed into a call of the room that does the work."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TimeRemainingColumn
from rich.progress import Task as ProgressTask
from rich.text import Text

from digits.errors import DigitsError, FlagsError, shown
from digits.rows import WRITERS, Row

if TYPE_CHECKING:
    from digits.bulk import Engine, Journal
    from digits.fields import Field
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

TOLD = 20  # remarks about cells that are printed

Model = Annotated[Path | None, typer.Option(help="Model file (.onnx or .h5) instead of the one in use.")]


def main() -> None:
    """Run the command line; an error becomes one line and exit code 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a locale may lack letters that a file's name has
    try:
        app(prog_name="digits")
    except (DigitsError, OSError) as error:
        sentences = (shown(line, 2000) for line in str(error).splitlines())
        print("digits: " + "\n".join(sentences), file=sys.stderr)
        sys.exit(1)


class Format(StrEnum):
    """How the rows are written."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"
    xlsx = "xlsx"


ENDINGS = {
    "": Format.table,
    ".txt": Format.table,
    ".csv": Format.csv,
    ".jsonl": Format.jsonl,
    ".parquet": Format.parquet,
    ".xlsx": Format.xlsx,
}
"""What is written into a file, by its ending."""


class EngineName(StrEnum):
    """Who reads the pictures."""

    local = "local"
    ray = "ray"


@app.command()
def predict(
    pictures: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, folders, globs, zip or tar archives, manifests (.txt: a path a line; .csv: a column "
            '"picture" or "file"), URLs, or - for standard input (one picture, or a path a line).',
            show_default=False,
        ),
    ],
    format: Annotated[
        Format | None,
        typer.Option(help="How to write the rows; if not given, as --out ends, else a table.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write (for parquet a folder). After a kill the same command goes on where it was."),
    ] = None,
    single: Annotated[bool, typer.Option("--single", help="Take the whole of each picture as one digit.")] = False,
    table: Annotated[
        bool, typer.Option("--table", help="One row a row of the tables in the pictures: its picture, then its cells.")
    ] = False,
    confidence: Annotated[
        Path | None, typer.Option(help="File for how sure each cell of --table is, in the same rows and columns (CSV).")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="What is allowed in a column of --table, as 2:0-100; more than once for several.", show_default=False
        ),
    ] = None,
    columns: Annotated[
        Path | None, typer.Option(help="JSON file that says what is allowed in the columns of --table.")
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(help="Template of a form (see: digits template): one row a scan of it, with its named fields."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=10, help="How many answers to give for each digit.")] = 3,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that read; if not given, one a core.", show_default=False)
    ] = None,
    debug_images: Annotated[
        Path | None, typer.Option(help="Folder for the 28x28 pictures that the network saw.")
    ] = None,
    engine: Annotated[EngineName, typer.Option(help="Read on this machine, or on many with Ray.")] = EngineName.local,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster (host:port, or auto); if not given, Ray starts on this machine.")
    ] = None,
    model: Model = None,
) -> None:
    """Read pictures, one or a million.

    One row a picture: sources as named; within a folder or glob by path, within an archive or manifest in its order. A
    picture that cannot be read is a row with its error.

    Exit code: 0 if all were read, 1 if some were not, 2 if the command makes no sense.
    """
    from digits import bulk

    out = None if out is None else out.resolve()  # what a link points to is written, not the link
    form = format or _format_of(out)
    _check_output(form, out)
    table = table or template is not None
    _check_table(table, form, confidence is not None, out, bool(column or columns))
    _check_installed(form, engine)
    shown_form = _template(template, column or columns)
    known = shown_form[1] if shown_form else _known(column or [], columns)
    if debug_images is not None:
        debug_images.mkdir(parents=True, exist_ok=True)
    cells = form == Format.xlsx
    content = shown_form[0] if shown_form else None
    settings = bulk.Settings(_text(model), single, top, _text(debug_images), table, cells, known, content)
    write = _sheet_writer(form, known) if table and form != Format.jsonl else None
    unreadable = Counter[bool]()
    with (
        bulk.Journal(f"{out}.partial" if out else "", list(dict.fromkeys(pictures)), settings) as journal,
        _engine(engine, address, jobs, journal.total) as ready,
        _progress(journal, shown=out is not None or not sys.stdout.isatty()) as watched,
    ):
        rows = watched(bulk.read_pictures(journal, settings, ready))
        if out is None:
            if form != Format.table and isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # as in files
            (write or WRITERS[form])(_told(_counted(rows, unreadable), table), sys.stdout)
        else:
            deque(rows, maxlen=0)  # they are in the journal now
            bulk.write_output(_told(_counted(journal.rows(), unreadable), table), form, out, write)
            if confidence is not None:
                bulk.write_output(journal.rows(), "csv", confidence, _sheet_writer(Format.csv, known, "confidence"))
            journal.remove()
    raise typer.Exit(1 if unreadable[True] else 0)


def _format_of(out: Path | None) -> Format:
    ending = out.suffix if out is not None else ""
    if ending not in ENDINGS:
        raise typer.BadParameter(
            f"it is not known what to write into a file that ends in {shown(ending)}. Expected "
            f"{', '.join(filter(None, ENDINGS))}; or name the --format.",
            param_hint="--out",
        )
    return ENDINGS[ending]


def _check_output(form: Format, out: Path | None) -> None:
    if out is None and form == Format.parquet:
        raise typer.BadParameter("parquet needs a folder to write: name one with --out.", param_hint="--format")
    if out is not None and not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent} to write into.", param_hint="--out")
    if out is not None and out.exists() and not (out.is_file() or out.is_dir()):
        raise typer.BadParameter(
            f"{out} is a device, a pipe or a socket. Expected a file; to write there, leave out --out and "
            "redirect the output.",
            param_hint="--out",
        )
    if out is not None and _is_foreign(form, out):
        raise typer.BadParameter(f"{out} is in the way: it was not written by this command.", param_hint="--out")


def _check_table(table: bool, form: Format, confidence: bool, out: Path | None, known: bool) -> None:
    if not table and (confidence or known or form == Format.xlsx):
        raise typer.BadParameter("this is about tables; say --table, too.", param_hint="--confidence, --column, xlsx")
    if table and form == Format.parquet:
        raise typer.BadParameter("tables are written as csv, xlsx, jsonl or table.", param_hint="--format")
    if out is None and (confidence or form == Format.xlsx):
        raise typer.BadParameter("this needs a file for the tables: name one with --out.", param_hint="--out")


def _template(path: Path | None, known: object) -> tuple[str, tuple[Field, ...]] | None:
    """The content of a template's file, and its fields."""
    if path is None:
        return None
    if known:
        raise typer.BadParameter("a template says what is known of its fields itself.", param_hint="--template")
    from digits.template import load_template, parse_template

    content = load_template(path)
    return content, parse_template(content).fields


def _known(column: list[str], columns: Path | None) -> tuple[Field, ...]:
    """What is known of the columns: of the file, and what is typed, which comes before it."""
    from digits.fields import load_fields, parse_column

    typed = [parse_column(text) for text in column]
    numbers = {field.column for field in typed}
    listed = load_fields(columns) if columns is not None else []
    return (*typed, *(field for field in listed if field.column not in numbers))


def _sheet_writer(form: Format, known: tuple[Field, ...], what: str = "text") -> Callable[[Iterable[Row], Any], None]:
    from digits import sheets

    if form == Format.xlsx:
        return partial(sheets.write_xlsx, known=known)
    return partial(sheets.write_texts, known=known, what=what, apart="\t" if form == Format.table else ",")


def _told(rows: Iterable[Row], table: bool) -> Iterator[Row]:
    """The rows; what is remarkable about cells is said on the way, of the first TOLD."""
    remarks = 0
    for row in rows:
        for number, entries in enumerate((entries for one in row["tables"] for entries in one) if table else (), 1):
            for column, entry in enumerate(entries, 1):
                if entry["remark"]:
                    remarks += 1
                    if remarks <= TOLD:
                        name = shown(row["picture"], 400)
                        print(f"{name}, row {number}, column {column}: {shown(entry['remark'], 400)}", file=sys.stderr)
        yield row
    if remarks > TOLD:
        print(f"... and {remarks - TOLD} more cells", file=sys.stderr)


def _check_installed(form: Format, engine: EngineName) -> None:
    """What is missing is said before anything is written."""
    needed = ["pyarrow"] if form == Format.parquet else []
    needed += ["openpyxl"] if form == Format.xlsx else []
    needed += ["ray"] if engine == EngineName.ray else []
    for package in needed:
        if importlib.util.find_spec(package) is None:
            raise DigitsError(f"This needs {package}. Install it with: pip install {package}")


def _is_foreign(form: Format, out: Path) -> bool:
    """Whether writing to `out` would delete what no earlier run has written."""
    if form != Format.parquet or not out.is_dir():
        return out.is_dir() or (form == Format.parquet and out.exists())
    return not all(path.match("part-*.parquet") for path in out.iterdir())


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _engine(name: EngineName, address: str | None, jobs: int | None, pictures: int) -> AbstractContextManager[Engine]:
    from digits import bulk

    jobs = min(jobs or os.cpu_count() or 1, -(-pictures // bulk.CHUNK))
    return bulk.ray_engine(address, jobs) if name == EngineName.ray else bulk.local_engine(jobs)


def _counted(rows: Iterable[Row], unreadable: Counter[bool]) -> Iterator[Row]:
    for row in rows:
        unreadable[row["error"] is not None] += 1
        yield row


@contextmanager
def _progress(journal: Journal, shown: bool) -> Iterator[Callable[[Iterable[Row]], Iterable[Row]]]:
    """On a terminal a bar with rate and time left; in a pipe nothing."""
    console = Console(stderr=True)
    columns = BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("", total=journal.total, completed=journal.done)
        yield lambda rows: _advancing(rows, lambda: bar.advance(task))


def _advancing(rows: Iterable[Row], advance: Callable[[], None]) -> Iterator[Row]:
    for row in rows:
        advance()
        yield row


class RateColumn(ProgressColumn):
    """How many pictures a second."""

    def render(self, task: ProgressTask) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


@app.command()
def template(
    picture: Annotated[str, typer.Argument(help="A picture of the form, upright.", show_default=False)],
    out: Annotated[Path, typer.Option(help="JSON file to write.", show_default=False)],
    fields: Annotated[
        Path | None,
        typer.Option(
            help='JSON file with the boxes of the fields, in pixels: [{"name": "Age", "box": [left, top, right, '
            "bottom]}, ...]; if not given, the cells of the table in the picture.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show a form once, so that `digits predict scans/ --template` reads its fields by name.

    The form may be empty or filled in: what stands in the fields does not matter.
    """
    from digits import Recognizer
    from digits.template import load_boxes, make_template, save_template

    made = make_template(Recognizer(), picture, None if fields is None else load_boxes(fields))
    save_template(made, out)
    typer.echo(f"{len(made.fields)} fields: {shown(', '.join(field.name for field in made.fields), 400)}")


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
        raise DigitsError(f'Evaluating needs {error.name}. In the checkout: pip install ".[train]"') from error
    typer.echo(run_evaluation(model, data, out))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 7860,
    page: Annotated[bool, typer.Option("--page/--no-page", help="The web page, or only the HTTP interface.")] = True,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer; more than 1 only with --no-page.")] = 1,
    flagged: Annotated[Path, typer.Option(help="Folder for the pictures that visitors of the page flag.")] = Path(
        "flagged"
    ),
    share: Annotated[bool, typer.Option("--share", help="Ask Gradio for a public link to the page.")] = False,
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
    model: Model = None,
) -> None:
    """Serve the web page and the HTTP interface."""
    if not page and (share or mcp):
        raise typer.BadParameter("these go with the page; leave out --no-page.", param_hint="--share, --mcp")
    if page and workers > 1:
        raise typer.BadParameter("the page runs in one process; use --no-page for more.", param_hint="--workers")
    if page:
        from digits.web.server import serve as run_server

        run_server(host, port, model, share, flagged, mcp, password, shared_flags, log)
    else:
        from digits.web.api import serve as run_api

        run_api(host=host, port=port, model=model, workers=workers, password=password, log=log)


@app.command()
def review(
    sheet: Annotated[
        Path, typer.Argument(help="CSV file that `digits predict --table --out` has written.", show_default=False)
    ],
    column: Annotated[list[str] | None, typer.Option(help="As of predict.", show_default=False)] = None,
    columns: Annotated[Path | None, typer.Option(help="As of predict.")] = None,
    flagged: Annotated[
        Path | None, typer.Option(help="Folder for the pictures of corrected cells, to learn from; none if not given.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 7861,
    model: Model = None,
) -> None:
    """Look at the doubtful cells of a table one by one, in the browser, and write what they are."""
    from digits.flags import FlagStore
    from digits.recognizer import Recognizer
    from digits.review import Review
    from digits.web.reviewing import serve_review

    flags = FlagStore(flagged) if flagged else None
    if flags:
        flags.check()
    serve_review(Review(sheet, Recognizer(model), _known(column or [], columns), flags), port)


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
    from digits.networks import name_networks

    models = ModelHistory(folder).models()
    if not models:
        print(f"No model is kept in {folder} yet: the first one is kept when corrections put a new one in service.")
    for model in models:
        beside = f"  (beside {name_networks(model.beside)})" if model.beside else ""
        print(f"{'*' if model.in_service else ' '} {model.id}  {model.time[:19]}  {model.note}{beside}")


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
