"""Models: every model that was ever in service is kept, and any of them can be put back.

    models/service.json          which models were put in service, one after the other; the last one is the present one
    models/ID/model.onnx         what is served
    models/ID/model.h5           the same for Keras: what training goes on from
    models/ID/about.json         when it was kept, why, and which networks answered beside it

A change of model is written down before the first file is replaced, and each file is replaced whole: a program that is
killed halfway leaves a pair that the next start completes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digits.classifier import SHIPPED_MODEL
from digits.errors import ModelError, shown
from digits.files import digest, replace_file, sole_writer
from digits.networks import digests_beside


@dataclass(frozen=True)
class KeptModel:
    """A model of the history.

    id: the first 12 hexadecimal digits of the SHA-256 of its model.onnx.
    time: when it was kept, ISO 8601, UTC.
    note: where it comes from, in words.
    in_service: it is the one that answers now.
    beside: SHA-256 of each network that answered beside it when it was kept; {} if it was kept before that was noted.
    """

    id: str
    time: str
    note: str
    in_service: bool
    beside: dict[str, str] = field(default_factory=dict)


class ModelHistory:
    """The models of one installation.

    folder: where they are kept; made at the first change.
    onnx, keras: the two files of the model in service.

    Opening a history completes a change of model that was interrupted. Every method raises ModelError if a file cannot
    be read or written.
    """

    def __init__(
        self, folder: str | Path = "models", onnx: str | Path = SHIPPED_MODEL, keras: str | Path = "model.h5"
    ) -> None:
        self.folder = Path(folder)
        self.in_service = {"model.onnx": Path(onnx), "model.h5": Path(keras)}
        if self._service_file.exists():
            with self._locked():
                self._complete()

    def models(self) -> list[KeptModel]:
        """All kept models, newest first."""
        present = self._present()
        abouts = [_read_json(path) for path in self.folder.glob("[!.]*/about.json")]
        whole = [about for about in abouts if about.keys() >= {"id", "time", "note"}]
        models = [
            KeptModel(about["id"], about["time"], about["note"], about["id"] == present, about.get("beside", {}))
            for about in whole
        ]
        return sorted(models, key=lambda model: model.time, reverse=True)

    def promote(self, onnx: str | Path, keras: str | Path, note: str) -> str:
        """Put a new model in service and keep the old one. Returns its id."""
        with self._locked():
            past = self._past()
            id = self._keep({"model.onnx": Path(onnx), "model.h5": Path(keras)}, note)
            self._serve([*past, id])
        return id

    def use(self, id: str) -> str:
        """Put a kept model in service; `id` may be shortened. Returns the whole id."""
        found = [model.id for model in self.models() if id and model.id.startswith(id)]
        if len(found) != 1:
            raise ModelError(
                f"{'No kept model' if not found else 'More than one kept model'} begins with {id!r}. "
                f"See what there is with: digits model list"
            )
        with self._locked():
            self._serve([*self._past(), found[0]])
        return found[0]

    def rollback(self) -> str:
        """Put the model back that was in service before this one. Returns its id."""
        with self._locked():
            past = self._past()[:-1]
            if not past:
                raise ModelError(f"There is no earlier model to go back to: none is kept in {self.folder}.")
            self._serve(past)
        return past[-1]

    @property
    def _service_file(self) -> Path:
        return self.folder / "service.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with sole_writer(self.folder):
                yield
        except OSError as error:
            raise ModelError(
                f"The model could not be changed: {error}. Expected to be allowed to write to {self.folder} and to "
                + " and ".join(str(path) for path in self.in_service.values())
            ) from error

    def _past(self) -> list[str]:
        """Ids put in service so far, the present one last; a model that came by another way is kept first."""
        past: list[str] = self._service()["past"]
        present = self._present()
        if present is None or past[-1:] == [present]:
            return past
        return [*past, self._keep(self.in_service, "was in service")]

    def _serve(self, past: list[str]) -> None:
        self._write_service(past, complete=False)
        self._complete()

    def _complete(self) -> None:
        service = self._service()
        if service["complete"]:
            return
        for name, target in self.in_service.items():
            kept = self.folder / service["past"][-1] / name
            if kept.exists():
                replace_file(target, kept.read_bytes())
        self._write_service(service["past"], complete=True)

    def _service(self) -> dict[str, Any]:
        if not self._service_file.exists():
            return {"past": [], "complete": True}
        service = _read_json(self._service_file)
        past, complete = service.get("past"), service.get("complete")
        if not isinstance(past, list) or not isinstance(complete, bool) or not (past or complete):
            raise ModelError(f"{self._service_file} is damaged: {_EXPECTED}. Received: {shown(str(service))}")
        return service

    def _write_service(self, past: list[str], complete: bool) -> None:
        replace_file(self._service_file, json.dumps({"past": past, "complete": complete}, indent=1).encode())

    def _present(self) -> str | None:
        onnx = self.in_service["model.onnx"]
        return _identify(onnx) if onnx.exists() else None

    def _keep(self, files: dict[str, Path], note: str) -> str:
        """Copy a model into the history, whole or not at all."""
        id = _identify(files["model.onnx"])
        if (self.folder / id).exists():
            return id
        aside = self.folder / f".{id}.tmp"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for name, path in files.items():
            if path.exists():
                replace_file(aside / name, path.read_bytes())
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        about = {"id": id, "time": now, "note": note, "beside": digests_beside()}
        replace_file(aside / "about.json", json.dumps(about, indent=1).encode())
        aside.replace(self.folder / id)
        return id


def served_file(keras: Path) -> Path:
    """The .onnx that is served for a Keras model: the package's own for model.h5, else the one beside it."""
    return SHIPPED_MODEL if keras.name == "model.h5" else keras.with_suffix(".onnx")


_EXPECTED = 'expected {"past": [ids of models], "complete": true or false}; delete it to start a new history'


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {_EXPECTED}. ({shown(str(error))})") from error
    return content if isinstance(content, dict) else {}


def _identify(onnx: Path) -> str:
    try:
        return digest(onnx)[:12]
    except OSError as error:
        raise ModelError(f"The model {onnx} cannot be read: {error}") from error
