"""Seeded named streams: the only source of randomness."""

import hashlib

import numpy as np

Name = str | int

_BITS = 63  # a seed fits a signed 64-bit column


def derive(seed: int, *names: Name) -> int:
    """A seed of 63 bits for the purpose that `names` spell, independent of every other purpose."""
    text = "\x1f".join([str(seed), *(f"{type(name).__name__}:{name}" for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> (64 - _BITS)


# Here and elsewhere the type stands in quotes: to look at it imports all of numpy.random, which many a stage needs not.
def stream(seed: int, *names: Name) -> "np.random.Generator":
    """The random generator of that purpose."""
    return np.random.default_rng(derive(seed, *names))


def uniform(seed: int, *names: Name) -> float:
    """One number uniform in [0, 1) for that purpose (a generator would cost 30 times as much)."""
    return (derive(seed, *names) >> (_BITS - 53)) / 2.0**53
