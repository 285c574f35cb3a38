"""What can go wrong, as a small tree.

DigitsError
├── PictureError    a picture cannot be read
├── ModelError      a model file is missing or is not one of ours
├── DataError       MNIST cannot be had, or is not MNIST
└── FlagsError      the folder of flagged pictures cannot be read or written

Every message says what happened, what was expected, what was received and how to mend it. The middle of the program
raises; the edges (command line, page, HTTP) translate a DigitsError into one plain line.
"""

import os


class DigitsError(Exception):
    """Base of every error that this program raises on purpose."""


class PictureError(DigitsError):
    """A picture cannot be read."""


class ModelError(DigitsError):
    """A model file is missing or does not fit."""


class DataError(DigitsError):
    """MNIST cannot be loaded, or what was loaded is not MNIST."""


class FlagsError(DigitsError):
    """The folder of flagged pictures cannot be read or written."""


def shown(text: str | os.PathLike[str], most: int = 200) -> str:
    """What somebody else has written (a path, a label, an address), fit to stand in a sentence on a terminal.

    Escapes what is not printable, and leaves out the middle of what has more than `most` characters.
    """
    text = str(text)
    if len(text) > most:
        text = f"{text[: most // 2]}...{text[-most // 2 :]}"
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )
