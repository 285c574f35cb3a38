"""Memory: what training frees at each step is kept for the next one."""

from __future__ import annotations

import ctypes
import sys

# The names and numbers of malloc.h of the GNU C library.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8


def keep_freed_memory() -> None:
    """Have the C library hold on to freed memory; without effect where it is not the GNU C library.

    TensorFlow frees and asks again for some hundred megabytes in every step. Given back to the kernel each time, they
    cost a third of the processor's time: 180 seconds an epoch of the best preset instead of 97 (2 cores, glibc 2.36,
    set by its MALLOC_ variables). To be called before TensorFlow is imported: its threads keep the pools of memory
    that they were born with.
    """
    if not sys.platform.startswith("linux"):
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is None:
        return
    set_option(M_ARENA_MAX, 1)
    set_option(M_MMAP_MAX, 0)  # a block that is mapped goes back to the kernel as soon as it is freed
    set_option(M_TRIM_THRESHOLD, (1 << 31) - 1)
    set_option(M_TOP_PAD, 256 << 20)
