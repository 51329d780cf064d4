"""Evaluations and policies of an experiment or a revision, out of DVC's cache; the workspace stays as it is."""

from collections.abc import Callable
from pathlib import Path
import tempfile
from typing import Any, TypeVar

from stages.comparing.evaluations import Evaluation, read_evaluation
from stages.comparing.rounds import Chain, read_chain
from stages.core import schemas
from stages.core.documents import parse_yaml
from stages.core.errors import UserError, reason

T = TypeVar("T")

_NOTHING = "neither a folder with evaluations nor a revision or experiment"


class Revision:
    """A commit, branch, tag or experiment of the repository in the current folder."""

    def __init__(self, name: str) -> None:
        """The revision of that name; UserError where there is none."""
        from dvc.api import DVCFileSystem

        self.name = name
        self.files: Any = DVCFileSystem(rev=name)
        # DVC takes whatever Git knows by that name for a commit, be it a file or a folder: AttributeError.
        self._read(lambda: self.files.repo.get_rev(), _NOTHING, AttributeError, UnicodeError)

    def chain(self) -> Chain:
        """The tasks and rounds it is a chain of."""
        return read_chain(self._params(), f"{self.name}:params.yaml")

    def params(self) -> Any:
        """Its parameters."""
        return parse_yaml(self._params(), f"{self.name}:params.yaml")

    def results(self) -> bytes:
        """Its table of results, as `measure` wrote it."""
        return self._content("reports/results.csv")

    def evaluation(self, task: str, round_name: str) -> Evaluation:
        """What its policy of that round did; UserError, which says how to get it, where the cache lacks it."""
        place = f"data/{task}/{round_name}/evaluation"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / schemas.EPISODES
            path.write_bytes(self._content(place, schemas.EPISODES))
            try:
                return read_evaluation(Path(folder))
            except UserError as error:
                # The copy is gone by the time that the message is read.
                raise UserError(str(error).replace(folder, f"{self.name}:{place}")) from None

    def policy(self, task: str, round_name: str, folder: Path) -> Path:
        """A copy, in `folder`, of a round's policy; UserError, which says how to get it, where the cache lacks it."""
        path = folder / f"{task}.npz"
        path.write_bytes(self._content(f"data/{task}/{round_name}/policy.npz"))
        return path

    def _params(self) -> bytes:
        content: bytes = self._read(lambda: self.files.cat_file("params.yaml"), "it has no params.yaml")
        return content

    def _content(self, place: str, *inside: str) -> bytes:
        lacking = (
            f"{place} is not in DVC's cache; `dvc pull` fetches what a remote holds, else check it out and "
            "run `dvc repro`, or make an experiment of it (`dvc exp run`)"
        )
        content: bytes = self._read(lambda: self.files.cat_file("/".join([place, *inside])), lacking)
        return content

    def _read(self, read: Callable[[], T], lacking: str, *more: type[Exception]) -> T:
        from dvc.exceptions import DvcException
        from dvc.scm import RevError
        from dvc_data.index import DataIndexDirError

        try:
            return read()
        except (FileNotFoundError, RevError, DataIndexDirError, *more):
            raise UserError(f"{self.name}: {lacking}") from None
        except (DvcException, OSError) as error:
            raise UserError(f"{self.name}: {lacking} ({reason(error)})") from None
