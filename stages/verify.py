"""Compare the workspace and DVC's cache with dvc.lock, by content: DVC believes time stamps, and its cache unseen.

Every output and input that dvc.lock names and every object and run in the cache is hashed. Status 0: all that is here
is what it should be (what is not here at all, `dvc pull` or `dvc repro` brings). Status 1: something is damaged.

--repair moves what is damaged into .dvc/tmp/damaged, copies objects of the cache from the workspace where that has them
whole, and restores a dvc.lock that a killed DVC has left empty or cut off. `dvc repro` then does the rest.
"""

from collections.abc import Collection
import os
from pathlib import Path
import sys
import time
from typing import TYPE_CHECKING, Any

from stages.core import cli, errors

if TYPE_CHECKING:
    from stages.verifying.survey import Survey


def main() -> None:
    """Command line."""
    parser = cli.plain_parser(__doc__)
    parser.add_argument("--repair", action="store_true", help="repair what can be repaired and move the rest aside")
    sys.exit(verify(parser.parse_args().repair))


def verify(repair: bool) -> int:
    """Look at everything, say what was found and, where asked for, done; the exit status."""
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo

    from stages.verifying.repair import LOCK, busy_is_whole, lock_is_whole, repair_content, repair_state
    from stages.verifying.survey import survey

    try:
        root = Path(Repo.find_root())
    except NotDvcRepoError:
        raise errors.UserError(f"{Path.cwd()}: found no DVC repository, allowed: a folder in one") from None
    aside = root / ".dvc/tmp/damaged" / time.strftime("%Y%m%d-%H%M%S")
    if not (lock_is_whole(root) and busy_is_whole(root)):
        if repair:
            return _told(repair_state(root, aside))
        broken = LOCK if not lock_is_whole(root) else ".dvc/tmp/rwlock"
        print(f"damaged: {broken}: not whole, as a killed DVC may leave it; `python -m stages.verify --repair`")
        return 1
    try:
        repo = Repo(str(root))
        found = survey(repo)
    except DvcException as error:
        raise errors.UserError(f"{root}: {errors.reason(error)}") from None
    with repo:
        for line in _findings(found, repo):
            print(line)
        if repair and (found.leftovers or not found.whole):
            return _told(repair_content(repo, found, aside), found.inputs)
        return int(not found.whole)


def _told(done: Any, changed: Collection[Path] = ()) -> int:
    """Say what was repaired and what is left to do; 1 where that is to decide about inputs, otherwise 0."""
    for line in done:
        print(f"repaired: {line}")
    for path in changed:
        print(f"not repaired: {path}: if it was not edited, git checkout -- {path}")
    print(f"{'then' if changed else 'now'} run: dvc repro")
    return int(bool(changed))


def _findings(found: "Survey", repo: Any) -> list[str]:
    cache = Path(repo.cache.local.path)
    lines = [f"damaged: {path}: found {md5}, other than in dvc.lock" for path, md5 in found.outputs.items()]
    lines += [f"damaged: {path}: its content is not that of its name" for path in found.objects.values()]
    lines += [
        f"damaged: {os.path.relpath(path, repo.root_dir)}: not whole, as a killed DVC may leave it"
        for path in found.runs
    ]
    lines += [
        f"changed: {path}: found {md5}, other than in dvc.lock: edited since, or damaged (git diff -- {path})"
        for path, md5 in found.inputs.items()
    ]
    lines += [
        f"left over: {os.path.relpath(path, repo.root_dir)}: by a DVC that was killed, which does no harm"
        for path in found.leftovers
    ]
    if found.absent:
        absent = f"{errors.listed(found.absent)}: neither in the workspace nor whole in {cache}"
        lines.append(f"not here: {absent} (dvc pull or dvc repro brings them)")
    counted = ", ".join(f"{count:,} {name}" for name, count in found.counts.items())
    wrong = len(found.outputs) + len(found.objects) + len(found.runs)
    told = "all are whole" if found.whole else f"{wrong} damaged, {len(found.inputs)} changed"
    return [*lines, f"verify: {counted}: {told}"]


if __name__ == "__main__":
    errors.run(main)
