"""Turn: the slope of the lines on a page, from its ink."""

import cv2
import numpy as np
import pytest

from digits.turn import find_slope, turn

NO_LINES = np.zeros((500, 700), np.float32)


def written(lines, degrees):
    """(500, 700) float32: lines of digits that run down to the right by so many degrees."""
    ink = np.zeros((500, 700), np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(ink, line, (150, 130 + 80 * number), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4, cv2.LINE_AA)
    turned = cv2.getRotationMatrix2D((350, 250), -degrees, 1)
    return cv2.warpAffine(ink, turned, (700, 500)).astype(np.float32) / 255


@pytest.mark.parametrize("degrees", [-15, -6, 6, 11])
def test_the_slope_of_lines_is_found_and_turned_away(degrees):
    page = written(["51 3720", "864", "2975 10", "43981"], degrees)
    slope = find_slope(page, NO_LINES)
    assert slope == pytest.approx(degrees, abs=0.75)
    level, _ = turn(page, slope)
    assert find_slope(level, np.zeros_like(level)) == pytest.approx(0, abs=0.75)


def test_a_few_digits_and_a_page_that_is_level_have_no_slope():
    assert find_slope(written(["513"], 12), NO_LINES) == 0.0
    assert find_slope(written(["51 3720", "864", "2975 10"], 0), NO_LINES) == 0.0
    dust = np.zeros((3000, 3000), np.float32)
    dust[::40, ::40] = 1
    assert find_slope(dust, np.zeros_like(dust)) == 0.0


def test_a_page_on_its_side_stands_upright_with_its_slope():
    page = written(["51372", "86420", "29751"], 4)
    ribbons = (cv2.dilate(page, np.ones((1, 41))) > 0.5).astype(np.float32)
    side = [np.ascontiguousarray(np.rot90(one)) for one in (page, ribbons)]
    assert find_slope(*side) == pytest.approx(4 - 90, abs=1)
