"""The whole loop, from the first demonstration to the last evaluation, against the `imitation` library's: CPU seconds.

Both have the same expert, the same worlds, the same noise on the demonstrations and one thread. What is imported or
installed is not counted, nor does the library make the rollouts that it would log while it trains. It has eight
environments, as many as it makes by default, and finishes what these have begun: up to seven episodes more a time.

It lives in an environment of its own, in a temporary folder or kept in the one that LIBRARY_ENVIRONMENT names. That
takes a registry and 2 GB; a folder of wheels in PIP_FIND_LINKS may hold a torch without CUDA, or it takes far more.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from stages.core.conditions import conditions_of
from stages.core.episode import Plan
from stages.core.params import ComputeSettings
from stages.core.settings import Settings, load_settings
from stages.core.worlds import evaluation_plans, plan_episodes, with_noise
from stages.policies import POLICIES
from stages.tasks import TASKS
from tests.benchmarks.figures import Figure
from tests.benchmarks.our_loop import NAME, Asked, Done, Ours
from tests.benchmarks.whole import physics
from tests.chain import ROOT

SHOWN, PRACTISED, ROUNDS, EVALUATED = 50, 10, 5, 100  # episodes, and rounds after the first
SAMPLED = 20  # episodes that the physics' share is taken from

# A set that fits together: the library reads its files with a datasets that needs the older pyarrow and numpy.
PINNED = (
    "imitation==1.0.1",
    "stable-baselines3==2.2.1",
    "gymnasium==0.29.1",
    "seals==0.2.1",
    "datasets==2.21.0",
    "pyarrow==17.0.0",
    "pandas==2.3.3",
    "numpy==1.26.4",
    "torch==2.13.0",
    "pybullet==3.2.7",
    "setuptools==79.0.1",
)

# plain: in a simulation of plain PyBullet calls, not in ours; scaled: commands and offsets in units of their size;
# alone: the expert never acts in practice. The network and the epochs are the library's own in both.
WAYS: Mapping[str, Mapping[str, bool]] = {
    "as it comes, in plain PyBullet": {"plain": True, "scaled": False, "alone": False},
    "at its best, in our simulation": {"plain": False, "scaled": True, "alone": True},
}


def measure() -> list[Figure]:
    """Ours before, between and after the ways of theirs, in one run; ours is the median."""
    settings = _settings()
    asked = draw(settings)
    little = asked._replace(practice=[asked.practice[0][:2]], evaluate=asked.evaluate[:2])
    Ours(settings, little).run()  # imports what is imported late
    ours, theirs = [], {}
    with _environment() as python:
        for name, way in WAYS.items():
            ours.append(Ours(settings, asked).run())
            theirs[name] = _theirs(python, asked, way)
    last = Ours(settings, asked)
    ours.append(last.run())
    limit = EVALUATED * physics(last.played[:SAMPLED])
    return [*_figures(ours, theirs), Figure("ours: stepSimulation alone, one evaluation", limit, "CPU s")]


def _settings() -> Settings:
    """Those of params.yaml, but for the number of episodes and one process."""
    settings = load_settings(ROOT / "params.yaml", TASKS, POLICIES)
    params = settings.params
    shown = replace(settings.of(params.demonstrate, "demonstrate", NAME), episodes=SHOWN)
    alone = ComputeSettings(jobs=1, lockstep=params.compute.lockstep)
    return Settings(settings.path, replace(params, compute=alone, demonstrate={NAME: shown}))


def draw(settings: Settings) -> Asked:
    """The worlds, as the stages draw them."""
    task, params = TASKS.find(NAME), settings.params
    noise = {kind: settings.noise(NAME, kind) for kind in ("observation", "action", "demonstration")}
    shown = with_noise(task.knobs, noise["observation"], noise["demonstration"])
    tried = with_noise(task.knobs, noise["observation"], noise["action"])
    spans = {purpose: conditions_of(settings, NAME, purpose)[purpose] for purpose in ("demonstrate", "practice")}
    evaluated = evaluation_plans(NAME, task, settings, conditions_of(settings, NAME, "evaluate"), EVALUATED)
    return Asked(
        settings.of(params.demonstrate, "demonstrate", NAME).max_steps,
        settings.max_steps("evaluate", NAME),
        plan_episodes(shown, spans["demonstrate"], SHOWN, "demonstrate", settings.seed, "demonstrate", NAME),
        [
            plan_episodes(
                tried, spans["practice"], PRACTISED, "practice", settings.seed, "practice", NAME, f"round_{n}"
            )
            for n in range(ROUNDS)
        ],
        [one for one in evaluated if one.condition == "shown"],
    )


def _theirs(python: Path, asked: Asked, way: Mapping[str, bool]) -> Done:
    """The library's loop in its own process."""
    content = {
        "way": way,
        "seed": 1,
        "demonstrate_steps": asked.demonstrate_steps,
        "steps": asked.steps,
        "demonstrate": _plain(asked.demonstrate),
        "practice": [_plain(plans) for plans in asked.practice],
        "evaluate": _plain(asked.evaluate),
    }
    with TemporaryDirectory() as name:
        question, answer = Path(name) / "asked.json", Path(name) / "answer.json"
        question.write_text(json.dumps(content))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "", "OMP_NUM_THREADS": "1"}
        program = Path(__file__).with_name("imitation_loop.py")
        command: list[str | Path] = [python, "-W", "ignore", program, question, answer]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        return Done(**json.loads(answer.read_text()))


def _plain(plans: Sequence[Plan]) -> list[dict[str, Any]]:
    return [{"index": one.index, "seed": one.seed, "world": dict(one.world)} for one in plans]


@contextmanager
def _environment() -> Iterator[Path]:
    """The python of an environment that has the library; it is made if it is not there."""
    kept = os.environ.get("LIBRARY_ENVIRONMENT")
    with TemporaryDirectory() as temporary:
        folder = Path(kept or temporary) / "environment"
        python = folder / "bin" / "python"
        if not (folder / "whole").exists():
            _install(folder, python)
            (folder / "whole").touch()
        yield python


def _install(folder: Path, python: Path) -> None:
    """With uv where it is there, which takes a fraction of pip's time."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED], check=True)
        return
    environment = {"UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", ""), **os.environ}
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", python, *PINNED]
    subprocess.run(install, env=environment, check=True)


def _figures(ours: Sequence[Done], theirs: Mapping[str, Done]) -> Iterator[Figure]:
    mine = sorted(ours, key=lambda one: one.total)[len(ours) // 2]
    for way, done in theirs.items():
        yield Figure(f"CPU time of the library {way}, over ours", done.total / mine.total, at_least=15)
    for who, done in {"ours": mine, **{f"the library {way}": done for way, done in theirs.items()}}.items():
        yield Figure(f"{who}: the whole loop", done.total, "CPU s")
        for phase, seconds in done.seconds.items():
            yield Figure(f"{who}: {phase}", seconds, "CPU s")
        yield Figure(f"{who}: goal reached, before the rounds", 100 * done.first, "%")
        yield Figure(f"{who}: goal reached, after the rounds", 100 * done.last, "%")
