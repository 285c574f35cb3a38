"""Damage whole pictures in every known way and hand each to the whole road: python fuzz/malformed.py --count 20000

Each goes in as bytes, as a path, as a PIL image that was opened lazily, or over HTTP, in turn. Prints how many were
read, how many were refused with a sentence, the longest time of a core, and the memory at most; exits 1 if anything but
a PictureError left the program, or a limit was passed. The same seed damages alike.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
from fastapi.testclient import TestClient
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import seeds

from digits import PictureError, Recognizer
from digits.web.api import create_interface

SECONDS, MEMORY = 5.0, 600_000_000  # of a core, for each; bytes more than idle

Damage = Callable[[bytearray, random.Random], None]


def cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


def turn_bits(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 20)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def overwrite(data: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(data))
    data[place : place + dice.randint(1, 8)] = dice.randbytes(dice.randint(1, 8))


def exaggerate(data: bytearray, dice: random.Random) -> None:
    """A length, a width or a count among the first bytes becomes an extreme one."""
    place = dice.randrange(min(len(data), 120))
    width = dice.choice((1, 2, 4))
    data[place : place + width] = dice.choice((b"\xff", b"\x7f", b"\x00", b"\x80")) * width


def repeat(data: bytearray, dice: random.Random) -> None:
    first, last = sorted(dice.randrange(len(data)) for _ in range(2))
    data[last:last] = data[first:last] * dice.choice((1, 2, 50))


def drop(data: bytearray, dice: random.Random) -> None:
    first, last = sorted(dice.randrange(len(data)) for _ in range(2))
    del data[first:last]


DAMAGES: tuple[Damage, ...] = (cut, turn_bits, overwrite, exaggerate, repeat, drop)


def main() -> None:
    """Damage, hand in, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    recognizer = Recognizer()
    whole = list(seeds.pictures())
    ways = entries(recognizer)
    for content in whole:
        recognizer.recognize(content)
    idle = peak()
    outcomes = Counter[str]()
    slowest = 0.0
    for number in range(options.seed, options.seed + options.count):
        dice = random.Random(number)
        data = bytearray(dice.choice(whole))
        for _ in range(dice.randint(1, 3)):
            if data:
                dice.choice(DAMAGES)(data, dice)
        way = list(ways)[number % len(ways)]
        began = time.process_time()
        try:
            outcome = ways[way](bytes(data))
        except PictureError:
            outcome = "refused with a sentence"
        except Exception as error:  # what this is looking for
            outcome = "CRASH"
            print(f"--seed {number} --count 1: {way} raised {type(error).__name__}: {error}", flush=True)
        slowest = max(slowest, time.process_time() - began)
        outcomes[outcome] += 1
    grown = peak() - idle
    print(f"{options.count:,} malformed pictures: {dict(outcomes)}")
    print(f"slowest {slowest:.2f} s of a core; {grown / 1e6:.0f} MB more than idle at most")
    sys.exit(1 if outcomes["CRASH"] or slowest > SECONDS or grown > MEMORY else 0)


def entries(recognizer: Recognizer) -> dict[str, Callable[[bytes], str]]:
    """The ways in; each says "read" or raises PictureError."""
    client = TestClient(create_interface(recognizer))
    path = Path(tempfile.mkdtemp(prefix="malformed-")) / "picture.png"

    def by_bytes(data: bytes) -> str:
        recognizer.recognize(data)
        return "read"

    def by_path(data: bytes) -> str:
        path.write_bytes(data)
        recognizer.recognize(path)
        return "read"

    def by_image(data: bytes) -> str:
        try:
            image = Image.open(io.BytesIO(data))
        except Exception as error:  # of Pillow itself: such a picture cannot be handed in
            raise PictureError from error
        recognizer.recognize(image)
        return "read"

    def by_http(data: bytes) -> str:
        response = client.post("/api/recognize", content=data)
        if response.status_code in (400, 422):
            raise PictureError(response.json()["error"])
        return "read" if response.status_code == 200 else f"status {response.status_code}"

    return {"bytes": by_bytes, "path": by_path, "PIL image": by_image, "HTTP": by_http}


def peak() -> int:
    """Bytes that this process has had in memory at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
