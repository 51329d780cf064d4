"""Wall times that mean something on a machine that others use as well."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
import time
from typing import NamedTuple

import psutil

QUIET = 0.03  # of all cores: what others may use in a turn that counts


class Turn(NamedTuple):
    """How long one thing took."""

    seconds: float
    others: float  # share of all cores that was used by other processes meanwhile


def timed(work: Callable[[], object], servers: Sequence[psutil.Process] = ()) -> Turn:
    """One turn; `servers` are processes that work for it and that it did not start."""
    before = time.perf_counter(), _busy(), _own(servers)
    work()
    after = time.perf_counter(), _busy(), _own(servers)
    seconds, busy, own = (late - early for early, late in zip(before, after, strict=True))
    return Turn(seconds, max(0.0, busy - own) / seconds / (psutil.cpu_count() or 1))


def in_turns(
    ways: Mapping[str, Callable[[], Turn]], wanted: int, most: int
) -> tuple[dict[str, float], dict[str, float], int]:
    """Median over rounds of the first way's time over each other's, median share of others in it, and rounds it took.

    Rounds go on until `wanted` were quiet for every way, `most` at most; where fewer were, the quietest count.
    """
    base, *rest = ways
    rounds: list[dict[str, Turn]] = []
    while len(rounds) < most and len([one for one in rounds if _loudest(one) < QUIET]) < wanted:
        order = list(ways) if len(rounds) % 2 else list(reversed(ways))
        rounds.append({name: ways[name]() for name in order})
    ratios, loud = {}, {}
    for name in rest:
        pairs = sorted(rounds, key=lambda one: max(one[base].others, one[name].others))[:wanted]
        ratios[name] = median(one[base].seconds / one[name].seconds for one in pairs)
        loud[name] = median(max(one[base].others, one[name].others) for one in pairs)
    return ratios, loud, len(rounds)


def _loudest(turns: Mapping[str, Turn]) -> float:
    return max(turn.others for turn in turns.values())


def _busy() -> float:
    """CPU seconds of all cores that were used, or taken by another machine."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.steal + times.irq + times.softirq)


def _own(servers: Sequence[psutil.Process]) -> float:
    """CPU seconds of this process, of all it has started and of the servers."""
    this = psutil.Process()
    total = sum(this.cpu_times()[:4])
    for process in {*this.children(recursive=True), *servers}:
        total += sum(process.cpu_times()[:4])
    return float(total)
