"""Spreads episodes over copies of this process, made by fork."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
import os
import traceback
from typing import TYPE_CHECKING

from stages.core.episode import Episode, Plan
from stages.core.errors import UserError
from stages.core.orphans import work_for
from stages.core.work import Work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def forked(work: Work, plans: Sequence[Plan], jobs: int) -> Iterator[list[Episode]]:
    """The episodes of the plans, run in forked workers: they inherit imports and simulations, so they start at once.

    Most of a simulation's memory, some 28 MiB that PyBullet fills with zeros, is never written to again: copies share
    it, and to make it once takes less than to make it in each. They are told the numbers of plans one by one, so that
    their simulations are busy to the end. A copy that is killed is an error (BrokenExecutor), not a hang.
    """
    from concurrent.futures import BrokenExecutor
    from multiprocessing import get_context
    from multiprocessing.connection import wait

    context, left = get_context("fork"), len(plans)
    numbers = iter(range(left))
    most = -(-left // jobs)
    in_hand = min(work.prepare(most) + 1, most)  # one more than are under way, because an answer takes a while
    processes, pipes = [], []
    try:
        for _ in range(jobs):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(work, plans, most, there, os.getpid()))
            process.start()
            processes.append(process)
            there.close()  # the copy's alone, so that its death is the end of the pipe
            pipes.append(here)
            for _ in range(in_hand):
                _tell(here, next(numbers, None))
        while pipes:
            ready = wait(pipes)
            for pipe in [one for one in pipes if one in ready]:
                try:
                    got = pipe.recv()
                except (EOFError, OSError):
                    pipes.remove(pipe)
                    continue
                if isinstance(got, Exception):
                    raise got
                _tell(pipe, next(numbers, None))
                left -= 1
                yield [got]
    finally:
        for process in processes:
            process.kill()
            process.join()
    if left:
        raise BrokenExecutor


def _tell(pipe: "Connection", number: int | None) -> None:
    with suppress(OSError):  # a copy that has ended is noticed where one listens to it
        pipe.send(number)


def _serve(work: Work, plans: Sequence[Plan], most: int, pipe: "Connection", parent: int) -> None:
    """In a copy: run the plans whose numbers come, None being the last, and send each episode as it ends."""
    work_for(parent)
    try:
        for episode in work.run((plans[number] for number in iter(pipe.recv, None)), most):
            pipe.send(episode)
    except (UserError, MemoryError, OSError) as error:  # which become a message
        pipe.send(error)
    except Exception:  # of other kinds not all can be sent
        pipe.send(RuntimeError(traceback.format_exc()))
