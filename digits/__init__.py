"""Handwritten digit recognition: any picture in, the digits out, with percentages that mean what they say."""

from digits.decode import find_pages
from digits.errors import DataError, DigitsError, FlagsError, ModelError, PictureError
from digits.pages import Page
from digits.recognition import Digit, Recognition
from digits.recognizer import Recognizer

__version__ = "0.1.0"

__all__ = [
    "DataError",
    "Digit",
    "DigitsError",
    "FlagsError",
    "ModelError",
    "Page",
    "PictureError",
    "Recognition",
    "Recognizer",
    "__version__",
    "find_pages",
]
