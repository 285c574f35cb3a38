"""What can go wrong, as a small tree.

DigitsError
├── PictureError    a picture cannot be read
├── ModelError      a model file is missing or is not one of ours
├── DataError       MNIST cannot be had, or is not MNIST
└── FlagsError      the folder of flagged pictures cannot be read or written

Every message says what happened, what was expected, what was received and how to mend it. The middle of the program
raises; the edges (command line, page, HTTP) translate a DigitsError into one plain line.
"""


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
