"""Bytes that rot: flipped, overwritten, cut off."""

from collections.abc import Callable
from typing import Any

import numpy as np

Rng = np.random.Generator


def flip_bit(content: bytes, rng: Rng) -> bytes:
    """One bit is another."""
    changed = bytearray(content)
    changed[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def change_byte(content: bytes, rng: Rng) -> bytes:
    """One byte is another."""
    changed = bytearray(content)
    changed[rng.integers(len(content))] ^= int(rng.integers(1, 256))
    return bytes(changed)


def cut_off(content: bytes, rng: Rng) -> bytes:
    """The end is missing."""
    return content[: rng.integers(len(content))]


def zero_sector(content: bytes, rng: Rng) -> bytes:
    """Up to 512 bytes are zero, as a disk returns what it never wrote."""
    start = int(rng.integers(len(content)))
    size = min(512, len(content) - start)
    return content[:start] + bytes(size) + content[start + size :]


ROT: tuple[Callable[[bytes, Rng], bytes], ...] = (flip_bit, flip_bit, change_byte, change_byte, cut_off, zero_sector)


def _insert(content: bytes, rng: Rng) -> bytes:
    place = int(rng.integers(len(content) + 1))
    return content[:place] + rng.bytes(int(rng.integers(1, 20))) + content[place:]


def _delete(content: bytes, rng: Rng) -> bytes:
    place = int(rng.integers(len(content)))
    return content[:place] + content[place + int(rng.integers(1, 40)) :]


def _repeat(content: bytes, rng: Rng) -> bytes:
    start, stop = sorted(rng.integers(len(content) + 1, size=2).tolist())
    return content[:stop] + content[start:stop] + content[stop:]


def _noise(content: bytes, rng: Rng) -> bytes:
    return rng.bytes(int(rng.integers(0, 2 * len(content))))


def _several(content: bytes, rng: Rng) -> bytes:
    for _ in range(int(rng.integers(2, 12))):
        content = change_byte(content, rng)
    return content


BYTES: tuple[Callable[[bytes, Rng], bytes], ...] = (*ROT, _insert, _delete, _repeat, _noise, _several)


def choose(rng: Rng, options: Any) -> Any:
    """One of the options."""
    return list(options)[int(rng.integers(len(options)))]
