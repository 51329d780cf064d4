"""The real chain in a repository of its own: what reruns, what does not, and that the bytes are the same."""

from collections.abc import Iterator
from pathlib import Path
import re
import shlex
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest
import yaml

from stages.tasks import TASKS
from tests.chain import ROOT, SMALL, change, copy_repository, outputs, ran, run

pytestmark = pytest.mark.xdist_group("chain")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_repository(tmp_path_factory.mktemp("chain") / "repository", SMALL)
    run(folder, "dvc", "repro")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "reproduced")
    return folder


@pytest.fixture
def params(chain: Path) -> Iterator[dict[str, Any]]:
    kept = (chain / "params.yaml").read_text()
    yield yaml.safe_load(kept)
    (chain / "params.yaml").write_text(kept)


def leaves(params: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(params, dict):
        for name, value in params.items():
            yield from leaves(value, f"{key}.{name}" if key else name)
    else:
        yield key, params


def other(value: Any) -> Any:
    """Another value of the same kind, which need not be a sensible one."""
    if isinstance(value, bool | str | list) or value is None:
        return "other"
    return value + 1


def readers(key: str) -> set[str]:
    """The stages that declare a parameter, by their names in dvc.yaml: `train@kuka_reach` for all rounds of it."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    found = set()
    for name, stage in stages.items():
        for declared in stage.get("params", []):
            for task in SMALL["tasks"]:
                spelled = declared.replace("${item.task}", task)
                if key == spelled or key.startswith(f"{spelled}."):
                    found.add(f"{name}@{task}" if "matrix" in stage else name)
    return found


def test_a_second_repro_does_nothing(chain: Path) -> None:
    assert ran(run(chain, "dvc", "repro")) == []


def test_the_committed_lock_of_a_clone_is_current_without_any_data(chain: Path, tmp_path: Path) -> None:
    run(tmp_path, "git", "clone", "-q", str(chain), "clone")
    assert ran(run(tmp_path / "clone", "dvc", "repro", "--dry", "--allow-missing")) == []


def of_each_kind(params: dict[str, Any]) -> list[tuple[str, Any]]:
    """A leaf of every kind that there is for a task: kinds differ in their section or in who reads them."""
    kinds = {}
    others = [[name] for name in TASKS if name != "kuka_pick_place"]
    for key, value in leaves(params):
        section, *rest = key.split(".")
        if section not in ("tasks", "rounds") and rest[:1] not in others:
            kinds.setdefault((section, *sorted(readers(key))), (key, value))
    return list(kinds.values())


def test_a_changed_number_is_seen_by_exactly_the_stages_that_declare_it(chain: Path, params: dict[str, Any]) -> None:
    from dvc.repo import Repo

    wrong = {}
    for key, value in of_each_kind(params):
        changed = yaml.safe_load(yaml.safe_dump(params))
        change(changed, key, other(value))
        (chain / "params.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
        with Repo(str(chain)) as repo:
            status = repo.status()
        # From another folder, a stage is called by the path of its file as well.
        seen = {re.sub(r".*:|-round\d+$", "", stage) for stage, why in status.items() if "params.yaml" in str(why)}
        if seen != readers(key):
            wrong[key] = (seen, readers(key))
    assert wrong == {}


@pytest.fixture
def clone(chain: Path, tmp_path: Path) -> Path:
    """A clone in which all that the chain has made is there and current."""
    run(tmp_path, "git", "clone", "-q", str(chain), "clone")
    run(tmp_path / "clone", "dvc", "cache", "dir", "--local", str(chain / ".dvc/cache"))
    run(tmp_path / "clone", "dvc", "checkout", "-q")
    return tmp_path / "clone"


def to_run(clone: Path) -> set[str]:
    """The stages that are to be run once the code of all is written down, by their names and tasks."""
    from dvc.repo import Repo

    run(clone, "dvc", "repro", "code", "randomize")
    with Repo(str(clone)) as repo:
        # From another folder, a stage is called by the path of its file as well.
        return {re.sub(r".*:|-round\d+$", "", stage) for stage in repo.status()}


def test_a_further_task_reruns_no_stage_of_another(clone: Path) -> None:
    """As the README says to add one: `fly` is another `distance`."""
    run(clone, "python", "-m", "stages.new_task", "fly")
    for_each_task = {"demonstrate", "build", "train", "evaluate", "practice", "correct"}
    assert to_run(clone) == {"measure", "report", *(f"{stage}@fly" for stage in for_each_task)}


def test_an_edited_policy_reruns_what_uses_it(clone: Path, params: dict[str, Any]) -> None:
    assert params["policy"]["distance"]["kind"] != params["policy"]["kuka_pick_place"]["kind"] == "local_linear"
    replace(clone / "stages/policies/local_linear.py", "\n\n\n", "\n\n\nFURTHER = 1\n\n\n")
    of_task = {f"{stage}@kuka_pick_place" for stage in ("train", "evaluate", "practice")}
    assert to_run(clone) == {"measure", "report", *of_task}


def replace(path: Path, old: str, new: str) -> None:
    """Edit a file: wherever it has the old words."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_stage_runs_with_what_it_declares_and_with_no_parameter_less(chain: Path, tmp_path: Path) -> None:
    stages = yaml.safe_load((chain / "dvc.yaml").read_text())["stages"]
    lock = yaml.safe_load((chain / "dvc.lock").read_text())["stages"]
    optional = re.compile(r"threshold$|quantile$")  # one of the two is needed, depending on the other
    for name in stages:
        instance = next(one for one in lock if one.split("@")[0] == name and ("@" not in one or "pick_place" in one))
        declared = lock[instance].get("params", {}).get("params.yaml", {})
        assert _runs(chain, tmp_path, lock[instance]["cmd"], declared) == (0, ""), instance
        if name != "code":
            code = f"data/code/kuka_pick_place/{name}.txt" if "@" in instance else f"data/code/{name}.txt"
            written = {line.split()[-1] for line in (chain / code).read_text().splitlines()}
            loaded = (tmp_path / "loaded").read_text().split()
            assert {str(Path(file).relative_to(chain)) for file in loaded} <= written
        for key in declared:
            if not optional.search(key):
                rest = {one: value for one, value in declared.items() if one != key}
                status, printed = _runs(chain, tmp_path, lock[instance]["cmd"], rest)
                assert (status, key.split(".")[0] in printed) == (2, True), (instance, key, printed)


WRITTEN = ("--output", "--policy", "--metrics", "--results", "--plots", "--page", "--summary", "--picture")
READ_BY_REPORT = ("--metrics", "--results", "--plots")


# Runs a stage as `python -m` does, and writes down the modules of this repository that it has loaded.
LOADED = """
import runpy, sys
path, module, *rest = sys.argv[1:]
sys.argv = [module, *rest]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
finally:
    found = [module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "stages"]
    with open(path, "w") as file:
        file.write("\\n".join(found))
"""


def _runs(chain: Path, scratch: Path, command: str, declared: dict[str, Any]) -> tuple[int, str]:
    """Status of a stage's command, and what it complains of, with just these parameters and its outputs elsewhere."""
    params: dict[str, Any] = {}
    for key, value in declared.items():
        place = params
        *path, last = key.split(".")
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    (scratch / "params.yaml").write_text(yaml.safe_dump(params))
    words = shlex.split(command)
    for place, word in enumerate(words):
        if words[place - 1] in WRITTEN and not (words[2] == "stages.report" and words[place - 1] in READ_BY_REPORT):
            words[place] = str(scratch / "out" / Path(word).name)
    if words[2] not in ("stages.build", "stages.report"):
        words += ["--params", str(scratch / "params.yaml")]
    command_line = [sys.executable, "-c", LOADED, str(scratch / "loaded"), *words[2:]]
    done = subprocess.run(command_line, cwd=chain, capture_output=True, text=True)
    return done.returncode, done.stderr if done.returncode else ""


def test_other_jobs_and_widths_in_another_clone_give_the_same_bytes(chain: Path, tmp_path: Path) -> None:
    run(tmp_path, "git", "clone", "-q", str(chain), "clone")
    clone = tmp_path / "clone"
    params = yaml.safe_load((clone / "params.yaml").read_text())
    params["compute"] = {"jobs": 2, "backend": "loky", "lockstep": 1}  # elsewhere up to two
    (clone / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    (clone / "dvc.lock").unlink()
    run(clone, "dvc", "repro", "--force")
    assert outputs(clone) == outputs(chain)


def test_one_more_round_is_one_entry_and_reruns_only_that_round(chain: Path, params: dict[str, Any]) -> None:
    listed = run(chain, "python", "-m", "stages.rounds", "3").strip()
    output = run(chain, "dvc", "exp", "run", "--temp", "-n", "longer", "-S", f"rounds={listed}")
    stages = ran(output)
    assert {stage for stage in stages if "@" in stage} == {
        f"{stage}@{task}-round2"
        for stage in ("build", "train", "evaluate", "practice", "correct")
        for task in params["tasks"]
    }
    assert set(stages) - {stage for stage in stages if "@" in stage} == {"measure", "report"}


def test_experiments_queue_on_two_workers_and_compare(chain: Path) -> None:
    for name, step in (("short", 10), ("long", 60)):
        setting = f"evaluate.distance.max_steps={step}"
        run(chain, "dvc", "exp", "run", "--queue", "-n", name, "-S", setting, "measure")
    run(chain, "dvc", "queue", "start", "-j", "2")
    run(chain, "dvc", "queue", "logs", "--follow", "short")
    run(chain, "dvc", "queue", "logs", "--follow", "long")
    shown = run(chain, "dvc", "exp", "show", "--csv")
    assert "short" in shown
    assert "distance.region.success" in shown.splitlines()[0]
    compared = run(chain, "dvc", "metrics", "diff", "short", "long")
    assert "distance.region.success" in compared


def test_plots_show_success_novelty_and_error(chain: Path) -> None:
    run(chain, "dvc", "plots", "show", "--out", "plots")
    page = (chain / "plots" / "index.html").read_text()
    assert all(word in page for word in ("success_low", "novelty", "timestamp"))


def test_a_study_tabulates_its_variants_and_leaves_the_workspace_alone(chain: Path) -> None:
    study = {
        "question": "why",
        "task": "distance",
        "rounds": 1,
        "against": "short",
        "variants": {"long": {}, "short": {"evaluate.distance.max_steps": 3}},
    }
    (chain / "study.yaml").write_text(yaml.safe_dump(study))
    before = (chain / "params.yaml").read_text()
    said = run(chain, "python", "-m", "stages.study", "study.yaml")
    written = (chain / "study.csv").read_bytes()
    table = pd.read_csv(chain / "study.csv")
    assert table[["variant", "task", "round", "condition"]].to_numpy().tolist() == [
        [variant, "distance", 0, condition]
        for variant in ("long", "short")
        for condition in ("near", "far", "region", "beyond", "real")
    ]
    short, long = (table[table["variant"] == variant].set_index("condition") for variant in ("short", "long"))
    assert short["against"].isna().all()
    assert set(long["against"]) == {"short"}
    assert (long.loc["region", "pairs"], long.loc["region", "verdict"]) == (long.loc["region", "episodes"], "better")
    assert long.loc["region", "difference"] == pytest.approx(
        long.loc["region", "success"] - short.loc["region", "success"], abs=1e-5
    )
    assert "long, held against short: better in " in said
    (chain / "study.csv").unlink()
    run(chain, "python", "-m", "stages.study", "--tabulate", "study.yaml")
    assert (chain / "study.csv").read_bytes() == written
    # Experiments are named by the place of their variant, which may have changed since.
    study["variants"] = {"long": {"evaluate.distance.max_steps": 3}, "short": {}}
    (chain / "study.yaml").write_text(yaml.safe_dump(study))
    said = run(chain, "python", "-m", "stages.study", "--tabulate", "study.yaml", check=False)
    assert "error: study-study-0: evaluate.distance.max_steps: found 40, allowed: 3 (study.yaml, variant long)" in said
    assert (chain / "study.csv").read_bytes() == written
    assert (chain / "params.yaml").read_text() == before
    assert ran(run(chain, "dvc", "repro", "--dry")) == []
    experiments = run(chain, "git", "for-each-ref", "refs/exps")
    study["variants"] = {"short": {"policy.distance.neighbors": 1000}}  # more than there are rows
    (chain / "study.yaml").write_text(yaml.safe_dump(study))
    assert "error: experiment study-study-0 failed" in run(
        chain, "python", "-m", "stages.study", "study.yaml", check=False
    )
    assert run(chain, "git", "for-each-ref", "refs/exps") == experiments
