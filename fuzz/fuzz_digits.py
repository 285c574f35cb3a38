"""Feed mutated files to a way in: python fuzz/fuzz_digits.py picture|archive|flags [options of libFuzzer]"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

with atheris.instrument_imports(include=["digits", "PIL", "tarfile", "zipfile", "json"]):
    from digits.decode import read_pixels
    from digits.errors import FlagsError, PictureError
    from digits.flags import FlagStore
    from digits.picture import read_grey
    from digits.sources import find_pictures, open_archive, text_key

import seeds

LIMITS = ["-timeout=5", "-rss_limit_mb=1500", "-max_len=20000"]


def read_picture(data: bytes) -> None:
    """The bytes of a file, up to grey."""
    with contextlib.suppress(PictureError):
        grey, scale, _ = read_grey(data)
        assert grey.ndim == 2 and grey.size and scale >= 1
        assert read_pixels(bytearray(data))[0].shape[:2] == grey.shape


def read_archive(data: bytes) -> None:
    """An archive or a manifest: listed, and each member read."""
    endings = {b"z": ".zip", b"t": ".tar", b"m": ".txt", b"c": ".csv"}
    path = FOLDER / f"source{endings.get(data[:1], '.zip')}"
    path.write_bytes(data[1:])
    entries = list(find_pictures(str(path)))
    assert entries
    members = [entry for entry in entries if entry.member is not None]
    if members:
        with contextlib.suppress(PictureError):
            read = open_archive(str(path))
            for entry in members:
                assert entry.member is not None
                with contextlib.suppress(PictureError):
                    read(entry.member, text_key(entry.key))


def read_flags(data: bytes) -> None:
    """A folder of flags whose metadata somebody has changed."""
    folder = FOLDER / "flagged"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "images" / "a.png").write_bytes(b"")
    (folder / "metadata.jsonl").write_bytes(data)
    with contextlib.suppress(FlagsError):
        FlagStore(folder).flags()


WAYS: dict[str, Callable[[bytes], None]] = {"picture": read_picture, "archive": read_archive, "flags": read_flags}


def main() -> None:
    """Make the seeds and run."""
    way, options = sys.argv[1], sys.argv[2:]
    seeds.write(way, FOLDER / "seeds")
    atheris.Setup([sys.argv[0], *LIMITS, *options, str(FOLDER / "found"), str(FOLDER / "seeds")], WAYS[way])
    atheris.Fuzz()


if __name__ == "__main__":
    FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
    (FOLDER / "found").mkdir()
    main()
