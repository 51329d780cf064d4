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
    cpu: float  # seconds, of all its processes
    others: float  # share of all cores that was used by other processes meanwhile


def timed(work: Callable[[], object], servers: Sequence[psutil.Process] = ()) -> Turn:
    """One turn; `servers` are processes that work for it and that it did not start."""
    before = time.perf_counter(), _busy(), _own(servers)
    work()
    after = time.perf_counter(), _busy(), _own(servers)
    seconds, busy, own = (late - early for early, late in zip(before, after, strict=True))
    return Turn(seconds, own, max(0.0, busy - own) / seconds / (psutil.cpu_count() or 1))


class Compared(NamedTuple):
    """The first way over another, as medians over rounds."""

    wall: float  # its time over the other's
    cpu: float  # its CPU time over the other's
    others: float  # what others used meanwhile, as a share of all cores


def in_turns(ways: Mapping[str, Callable[[], Turn]], wanted: int, most: int) -> dict[str, Compared]:
    """The first way compared with each other one, in rounds of a turn each.

    Rounds go on until `wanted` were quiet for all, `most` at most; where fewer were, the quietest count.
    """
    base, *rest = ways
    rounds: list[dict[str, Turn]] = []
    while len(rounds) < most and len([one for one in rounds if _loudest(one) < QUIET]) < wanted:
        order = list(ways) if len(rounds) % 2 else list(reversed(list(ways)))
        rounds.append({name: ways[name]() for name in order})
    found = {}
    for name in rest:
        pairs = [(one[base], one[name]) for one in rounds]
        pairs = sorted(pairs, key=lambda pair: max(turn.others for turn in pair))[:wanted]
        found[name] = Compared(
            median(one.seconds / other.seconds for one, other in pairs),
            median(one.cpu / other.cpu for one, other in pairs),
            median(max(one.others, other.others) for one, other in pairs),
        )
    return found


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
