"""Patch: the button, sign or label that something is drawn on, in a drawing whose paper is of one shade.

All that differs from the paper would be ink, the patch, too: a white 7 on a disc would be the hole of a 0.
"""

from __future__ import annotations

import cv2
import numpy as np

from digits.normalise import pen_width

LEAST = 0.15  # share of the picture that a patch takes
CONVEX, BOX = 0.97, 0.9  # share of its hull that it fills; of the box around it, if it is no disc:
ROUND = 0.87  # width of a disc in its heights, and the reverse: a 0 in a wide pen is slimmer
EDGE = 0.9  # share of the picture's edge that is of one shade
SHADE, PLAIN = 12, 0.5  # grey levels that its colour varies by; share of it that shows this colour
APART = 30  # grey levels at least between its colour and the paper's
COARSE = 4  # of so many pixels one is looked at first
RIM = 0.02  # share of its side at the edge of it, where colours mix
PEN = 0.3  # width of a pen at most, in sides of what is drawn with it: a rounder spot is the hole of a 0


def show_patch_alone(grey: np.ndarray) -> np.ndarray | None:
    """The picture with paper of the patch's colour, (height, width) uint8; None if nothing is drawn on a patch.

    grey: (height, width) uint8.
    """
    paper, share = edge_shade(grey, SHADE)
    if share < EDGE:
        return None
    few = grey[::COARSE, ::COARSE].astype(np.int16)
    if np.count_nonzero(np.abs(few - paper) > SHADE) < LEAST / 2 * few.size:
        return None
    there = (cv2.absdiff(grey, np.full_like(grey, paper)) > SHADE).view(np.uint8)
    contours, _ = cv2.findContours(there, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=lambda one: float(cv2.contourArea(one)))
    if cv2.contourArea(outline) < LEAST * grey.size or not _is_patch(outline):
        return None
    patch = cv2.drawContours(np.zeros_like(there), [outline], -1, 1, cv2.FILLED)
    rim = 2 * max(1, round(RIM * max(grey.shape))) + 1
    inside = cv2.erode(patch, np.ones((rim, rim), np.uint8), borderValue=0) > 0
    colour = int(np.bincount(grey[inside], minlength=256).argmax())
    if abs(colour - paper) < APART:  # a frame or a circle
        return None
    alone = np.where(inside, grey, np.uint8(colour))
    marks = cv2.absdiff(alone, np.full_like(alone, colour)) > SHADE
    share = float(marks.sum() / max(float(inside.sum()), 1.0))
    return alone if 0 < share < 1 - PLAIN and _is_of_a_pen(marks) else None


def edge_shade(grey: np.ndarray, by: int) -> tuple[int, float]:
    """The commonest grey along a picture's edge, and the share of the edge that differs from it by so much at most."""
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    shade = int(np.bincount(edge, minlength=256).argmax())
    return shade, np.count_nonzero(np.abs(edge.astype(np.int16) - shade) <= by) / edge.size


def _is_patch(outline: np.ndarray) -> bool:
    area = cv2.contourArea(outline)
    _, _, width, height = cv2.boundingRect(outline)
    is_convex = bool(area > CONVEX * cv2.contourArea(cv2.convexHull(outline)))
    return is_convex and (area > BOX * width * height or ROUND < width / height < 1 / ROUND)


def _is_of_a_pen(marks: np.ndarray) -> bool:
    _, _, width, height = cv2.boundingRect(marks.view(np.uint8))
    return pen_width(marks.astype(np.float32)) < PEN * max(width, height)
