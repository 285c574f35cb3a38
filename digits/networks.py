"""Networks: the files that answer, each named by its SHA-256."""

from __future__ import annotations

from digits.files import digest
from digits.ink import SHIPPED_INK_MODEL
from digits.sequence import SHIPPED_SEQUENCE_MODEL

BESIDE = {"ink": SHIPPED_INK_MODEL, "sequence": SHIPPED_SEQUENCE_MODEL}
"""The networks that answer beside the model."""


def digests_beside() -> dict[str, str]:
    """SHA-256 of each network beside the model, hexadecimal: of "ink" and of "sequence"."""
    return {name: digest(path) for name, path in BESIDE.items()}


def name_networks(digests: dict[str, str]) -> str:
    """For eyes: "model 257392507434, ink 09296e086b26, sequence 70f6bb005faa"."""
    return ", ".join(f"{name} {digest[:12]}" for name, digest in digests.items())
