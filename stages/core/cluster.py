"""Work on further machines: Dask's scheduler hands it to workers that run the code of this checkout."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from stages.core.errors import UserError, reason

S = TypeVar("S")
T = TypeVar("T")

_PATIENCE = 5  # [s] with a scheduler that does not answer
_SILENCE = 30  # [s] without a result, then it is looked whether anybody is left to work
_DECIDE_BITS = ("numpy", "pybullet", "pykdtree", "scipy", "scikit-learn")


def checkout() -> str:
    """What a worker offers and work asks for: this very code, and the libraries that decide its bits."""
    import hashlib
    from importlib.metadata import version

    found = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        found.update(path.read_bytes())
    for name in _DECIDE_BITS:
        found.update(f"{name} {version(name)}\n".encode())
    return f"imitation-{found.hexdigest()[:12]}"


def count_workers(address: str) -> int:
    """How many workers of this checkout the scheduler has. UserError if none, or no scheduler answers."""
    import asyncio

    try:
        from distributed.core import connect, send_recv
    except ImportError:
        raise UserError("compute.backend: found dask, which is not installed: pip install distributed") from None

    async def ask() -> dict[str, Any]:
        scheduler = await connect(address)
        answer: dict[str, Any] = await send_recv(scheduler, op="identity", n_workers=-1)
        scheduler.abort()
        return answer

    async def in_time() -> dict[str, Any]:
        return await asyncio.wait_for(ask(), _PATIENCE)

    try:
        workers = asyncio.run(in_time())["workers"].values()
    except Exception as error:  # whatever else may listen there, and answer
        raise UserError(
            f"compute.scheduler: found no scheduler at {address} ({reason(error)}), "
            "allowed: where one runs (dask scheduler)"
        ) from None
    ours = _serving(checkout(), workers)
    if not ours:
        raise UserError(
            f"compute.scheduler: found no worker of this very code at {address} ({len(workers)} others), "
            f"allowed: some (python -m stages.worker {address})"
        )
    return ours


def _serving(code: str, workers: Iterable[Mapping[str, Any]]) -> int:
    """How many of the workers are of that code."""
    return sum(code in worker["resources"] for worker in workers)


def spread(run: Callable[[S], T], shares: Sequence[S], address: str, together: int) -> Iterator[T]:
    """What `run` makes of each share, as they end: begun in their order, one a worker, at most `together` at a time.

    What a worker that is killed had under way or had not handed over goes to others, and one that joins gets its part.
    BrokenExecutor when one share has had that happen again and again, or the scheduler ends.
    """
    from concurrent.futures import BrokenExecutor

    # Not through joblib: its backend for Dask waits for ever for a share that such a thing befell.
    from distributed import Client, Future, KilledWorker, wait
    from distributed.client import FutureCancelledError
    from distributed.protocol.pickle import dumps

    def call(work: bytes) -> Any:
        """Unpacks in the worker, because the scheduler, which reads what it passes on, may lack this code."""
        from distributed.protocol.pickle import loads

        return loads(work)()

    waiting, code = iter(shares), checkout()
    with Client(address, timeout=_PATIENCE) as client:

        def submitted(busy: int) -> set[Future]:
            # What Dask is given beyond that it hands out at once, a worker's last first, and is slow to take back.
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            free = min(together, max(1, _serving(code, workers))) - busy
            calls = (dumps(partial(run, share)) for share in islice(waiting, max(0, free)))
            return {client.submit(call, one, pure=False, resources={code: 1}) for one in calls}

        under_way = submitted(0)
        while under_way:
            try:
                done, under_way = wait(under_way, timeout=_SILENCE, return_when="FIRST_COMPLETED")
            except TimeoutError:
                count_workers(address)  # somebody is still at work, or that is an error
                continue
            except FutureCancelledError as error:
                raise BrokenExecutor(reason(error)) from error
            for future in done:
                try:
                    yield future.result()
                except (KilledWorker, FutureCancelledError) as error:
                    raise BrokenExecutor(reason(error)) from error
            under_way |= submitted(len(under_way))
