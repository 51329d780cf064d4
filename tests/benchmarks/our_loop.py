"""The whole loop as our stages run it, in one process: demonstrations, training, evaluation, rounds of correction."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import NamedTuple

from stages import build, correct, demonstrate
from stages.core import parquet, schemas, tables
from stages.core.conditions import conditions_of
from stages.core.episode import Episode, Plan
from stages.core.parallel import run_episodes
from stages.core.policy import Trained, load_policy, policy_controller, save_policy
from stages.core.settings import Settings
from stages.policies import POLICIES
from stages.tasks import TASKS
from stages.train import choose_surprise, choose_threshold, cross_validate

NAME = "kuka_reach"


class Asked(NamedTuple):
    """What both run: worlds, and how long an episode may take [control steps]."""

    demonstrate_steps: int
    steps: int
    demonstrate: list[Plan]
    practice: list[list[Plan]]  # round by round
    evaluate: list[Plan]


class Done(NamedTuple):
    """What came of a loop."""

    seconds: Mapping[str, float]  # of CPU, by phase
    first: float  # share of the worlds in which the goal is reached, before the rounds ...
    last: float  # ... and after them

    @property
    def total(self) -> float:
        """CPU seconds of the whole loop."""
        return sum(self.seconds.values())


class Ours:
    """The stages, one after the other, on files in a temporary folder and in this process alone."""

    def __init__(self, settings: Settings, asked: Asked) -> None:
        self.settings, self.asked, self.task = settings, asked, TASKS.find(NAME)
        self.schema = schemas.expert_schema(NAME, self.task)

    def run(self) -> Done:
        """Collect, train and evaluate; rounds of practice, corrections and retraining; evaluate."""
        with TemporaryDirectory() as name:
            self.folder = Path(name)
            self.spent: dict[str, float] = defaultdict(float)
            with self.phase("collecting"):
                self.demonstrate()
            policy = self.train(0)
            first = self.evaluate(policy)
            for number, plans in enumerate(self.asked.practice):
                with self.phase("practising and correcting"):
                    self.act(policy, plans, "practice")
                    self.correct(number)
                policy = self.train(number + 1)
            last = self.evaluate(policy)
        self.played = last
        return Done(self.spent, *map(_reached, (first, last)))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the CPU seconds [s] of what is done in it to those of that name."""
        begun = process_time()
        yield
        self.spent[name] += process_time() - begun

    def demonstrate(self) -> None:
        """What the stages demonstrate and build do."""
        wanted = self.settings.of(self.settings.params.demonstrate, "demonstrate", NAME)
        spans = conditions_of(self.settings, NAME, "demonstrate")["demonstrate"]
        episodes = demonstrate.scripted_episodes(NAME, self.task, self.settings, spans, wanted)
        tables.write_episodes(self.folder / "demonstrations", NAME, self.task, episodes)
        parts = build.from_demonstrations(self.folder / "demonstrations", NAME, self.task)
        parquet.write_parts(parts, self.schema, self.folder / "dataset_0.parquet")

    def train(self, number: int) -> Trained:
        """What the stage train does, cross-validation included."""
        with self.phase("training"):
            settings, params, channels = self.settings, self.settings.params, self.task.observation
            cloning = settings.of(params.policy, "policy", NAME)
            shift = settings.of(params.shift, "shift", NAME)
            folds = settings.of(params.train, "train", NAME).folds
            steps = tables.expert_steps(
                parquet.read_table(self.folder / f"dataset_{number}.parquet", self.schema), self.task
            )
            kind = POLICIES.find(cloning.kind)
            policy = kind.fit(steps, cloning, channels)
            threshold, _ = choose_threshold(steps, cloning, shift, channels)
            surprise, _ = choose_surprise(steps, cloning, shift, channels)
            cross_validate(kind, steps, cloning, folds, channels)
            save_policy(self.folder / "policy.npz", Trained(NAME, cloning.kind, policy, threshold, surprise))
            return load_policy(self.folder / "policy.npz", NAME, POLICIES)

    def evaluate(self, policy: Trained) -> list[Episode]:
        """The episodes in the condition of the demonstrations."""
        with self.phase("evaluating"):
            return self.act(policy, self.asked.evaluate, "evaluation")

    def act(self, policy: Trained, plans: Sequence[Plan], name: str) -> list[Episode]:
        """What the stages evaluate and practice do."""
        controller = policy_controller(policy, self.settings.response(NAME), self.task)
        steps, how = self.asked.steps, self.settings.params.compute
        episodes = run_episodes(self.task, controller, plans, steps, how, name)
        tables.write_episodes(self.folder / name, NAME, self.task, episodes)
        return episodes

    def correct(self, number: int) -> None:
        """What the stages correct and build do: the expert takes over at the first shift."""
        wanted = self.settings.of(self.settings.params.correct, "correct", NAME)
        practised = correct.read_practice(self.folder / "practice", NAME, self.task, wanted)
        answers = correct.ask(NAME, self.task, practised, wanted, self.settings, None)
        table = correct.corrections(NAME, self.task, answers, wanted.gate, number + 1)
        parquet.write_table(table, self.folder / "corrections.parquet")
        parts = build.aggregate(
            self.folder / f"dataset_{number}.parquet", self.folder / "corrections.parquet", self.schema
        )
        parquet.write_parts(parts, self.schema, self.folder / f"dataset_{number + 1}.parquet")


def _reached(episodes: Sequence[Episode]) -> float:
    return sum(one.outcome == "success" for one in episodes) / len(episodes)
