"""Properties that hold for whatever comes in (hypothesis makes it): pictures, layouts, flags, sources."""

import contextlib
import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from hostile import saved
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from PIL import Image

from digits import PictureError, Recognizer
from digits.decode import LARGEST
from digits.errors import FlagsError, shown
from digits.flags import LABEL_LIMIT, FlagStore
from digits.picture import read_grey
from digits.recognition import Recognition
from digits.sources import find_pictures, open_archive, text_key

RECOGNIZER = Recognizer()
few = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
sides = some.integers(1, 70)
shapes = some.tuples(sides, sides) | some.tuples(sides, sides, some.integers(1, 4))
kinds = some.sampled_from([np.uint8, np.uint16, np.bool_, np.float32, np.float64, np.int64, np.float16])


@few
@given(arrays(kinds, shapes, elements={"min_value": 0, "max_value": 1}))
def test_read_grey_gives_every_array_its_own_size_in_grey(array):
    grey, scale, _ = read_grey(array)
    assert grey.shape == array.shape[:2] and grey.dtype == np.uint8 and scale == 1


@few
@given(arrays(kinds, some.lists(some.integers(0, 5), max_size=4).map(tuple)))
def test_read_grey_raises_nothing_but_a_picture_error_for_any_array(array):
    with contextlib.suppress(PictureError):
        read_grey(array)


@few
@given(some.integers(1, 20_000), some.integers(1, 40))
def test_read_grey_keeps_no_more_than_the_largest_side_and_says_the_scale(width, height):
    grey, scale, _ = read_grey(Image.new("L", (width, height), 255))
    assert max(grey.shape) <= LARGEST and abs(max(grey.shape) * scale - max(width, height)) < 1e-6


@few
@given(some.binary(max_size=500), some.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]), some.data())
def test_read_grey_raises_nothing_but_a_picture_error_for_any_bytes(junk, kind, data):
    whole = saved(Image.linear_gradient("L").resize((20, 20)), kind)
    place = data.draw(some.integers(0, len(whole)))
    for content in (junk, whole[:place] + junk, whole[:place] + junk + whole[place + len(junk) :]):
        with contextlib.suppress(PictureError):
            read_grey(content)


@settings(few, max_examples=15)
@given(arrays(np.uint8, some.tuples(some.integers(1, 40), some.integers(1, 40)), elements=some.sampled_from([0, 255])))
def test_what_is_found_lies_in_the_picture_and_has_probabilities(array):
    for digit in RECOGNIZER.recognize(array).digits:
        left, top, right, bottom = digit.box
        assert -1 <= left < right <= array.shape[1] + 1 and -1 <= top < bottom <= array.shape[0] + 1
        assert digit.probabilities.min() >= 0 and digit.probabilities.sum() <= 1 + 1e-4


@few
@given(
    some.lists(
        some.text(max_size=LABEL_LIMIT + 5) | some.text("0123456789.- \n", max_size=20) | some.none(), max_size=5
    )
)
def test_flags_come_back_as_they_were_put_in_or_are_refused(labels):
    with tempfile.TemporaryDirectory() as folder:
        store = FlagStore(Path(folder, "flagged"))
        kept = []
        for number, label in enumerate(labels):
            with contextlib.suppress(FlagsError):
                kept.append(store.add(saved(Image.new("L", (9, number + 1)), "PNG"), Recognition(), label, "a"))
        found = FlagStore(store.folder).flags()[::-1]
        assert [(flag.id, flag.label) for flag in found] == [(flag.id, flag.label) for flag in kept]


@few
@given(some.binary(max_size=400))
def test_a_store_with_any_metadata_opens_or_says_why(content):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "metadata.jsonl").write_bytes(content)
        with contextlib.suppress(FlagsError):
            FlagStore(folder).flags()


def zip_of(names: list[str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return file.getvalue()


def tar_of(names: list[str]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name.encode())
            archive.addfile(info, io.BytesIO(name.encode()))
    return file.getvalue()


names = some.lists(some.text("ab/\u00e4 .\n", min_size=1, max_size=12).map(lambda name: f"x{name}y.png"), max_size=6)


@few
@given(names, some.sampled_from([(".zip", zip_of), (".tar", tar_of)]), some.integers(0, 5_000), some.binary(max_size=8))
def test_every_member_of_an_archive_is_read_under_its_own_key_however_it_is_damaged(names, kind, place, damage):
    ending, pack = kind
    whole = pack(list(dict.fromkeys(names)))
    content = whole[:place] + damage + whole[place + len(damage) :] if damage else whole
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{ending}")
        path.write_bytes(content)
        entries = list(find_pictures(str(path)))
        assert entries
        with contextlib.suppress(PictureError):
            read = open_archive(str(path))
            for entry in entries:
                if entry.member is not None and not damage:
                    assert read(entry.member, text_key(entry.key)).decode() == entry.key.removeprefix(f"{path}/")


@few
@given(some.text(max_size=1_000))
def test_what_is_shown_is_printable_and_short(text):
    assert shown(text).isprintable() and len(shown(text)) <= 210 * 10
