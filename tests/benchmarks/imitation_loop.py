"""The whole loop as the `imitation` library runs it, on our own reach task: `python imitation_loop.py ASKED ANSWER`.

Run by the environment that library.py makes for it. ASKED is a JSON file with the worlds and a way to train, ANSWER one
with what came of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
import json
from pathlib import Path
import resource
import sys
from tempfile import TemporaryDirectory
from typing import Any

import datasets
from imitation.algorithms.bc import BC
from imitation.algorithms.dagger import SimpleDAggerTrainer
from imitation.data import rollout
from imitation.util import logger
import numpy as np
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import DummyVecEnv
import torch

from stages.tasks.kuka_reach import KukaReach
from tests.benchmarks.imitation_reach import FURTHEST, Expert, Plan, Reaching, Worlds

TOGETHER = 8  # environments, as many as the library makes by default


class Loop:
    """The library's own trainer, taken through the loop phase by phase."""

    def __init__(self, asked: Mapping[str, Any], folder: Path) -> None:
        self.asked, self.way, self.worlds = asked, asked["way"], Worlds()
        unit = FURTHEST if self.way["scaled"] else 1.0
        lengths = np.ones(len(KukaReach.observation), dtype=np.float32)
        if self.way["scaled"]:
            lengths[-3:] = 0.1  # [m] offsets
        self.envs = DummyVecEnv([lambda: Reaching(self.worlds, unit, lengths, self.way["plain"])] * TOGETHER)
        self.rng = np.random.default_rng(asked["seed"])
        torch.manual_seed(asked["seed"])
        self.expert, self.folder = Expert(self.envs.envs[0]), folder
        self.spent: dict[str, float] = defaultdict(float)

    def run(self) -> None:
        """Collect, train and evaluate; rounds of practice, corrections and retraining; evaluate."""
        asked = self.asked
        with self.phase("collecting"):
            self.worlds.give(asked["demonstrate"], asked["demonstrate_steps"])
            self.trainer = self.new_trainer(self.roll(self.expert, len(asked["demonstrate"])))
        self.train()
        with self.phase("evaluating"):
            self.first = self.evaluate()
        for plans in asked["practice"]:
            with self.phase("practising and correcting"):
                self.practise(plans)
            self.train()
        with self.phase("evaluating"):
            self.last = self.evaluate()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the CPU seconds [s] of what is done in it to those of that name."""
        begun = seconds()
        yield
        self.spent[name] += seconds() - begun

    def new_trainer(self, shown: Sequence[Any]) -> SimpleDAggerTrainer:
        """DAgger on cloning, as the library's documentation sets it up."""
        spaces = {"observation_space": self.envs.observation_space, "action_space": self.envs.action_space}
        quiet = logger.configure(self.folder / "log", ["log"])
        cloner = BC(**spaces, rng=self.rng, policy=None, device="cpu", custom_logger=quiet)
        beta = (lambda number: float(number == 0)) if self.way["alone"] else None
        return SimpleDAggerTrainer(
            venv=self.envs,
            scratch_dir=self.folder,
            expert_policy=self.expert,
            rng=self.rng,
            expert_trajs=shown,
            beta_schedule=beta,
            bc_trainer=cloner,
            custom_logger=quiet,
        )

    def practise(self, plans: Sequence[Plan]) -> None:
        """One round: the expert says what it would do wherever policy or expert have come."""
        self.worlds.give(plans, self.asked["steps"])
        collector = self.trainer.create_trajectory_collector()
        until = rollout.make_sample_until(min_episodes=len(plans))
        rollout.generate_trajectories(self.expert, collector, until, collector.rng, deterministic_policy=True)

    def train(self) -> None:
        """On all that the expert has said; without rollouts for the log, which are not asked of ours."""
        with self.phase("training"):
            self.trainer.extend_and_update({"log_rollouts_venv": None, "progress_bar": False})

    def roll(self, policy: BasePolicy, episodes: int) -> Sequence[Any]:
        """The library's rollouts of a policy."""
        until = rollout.make_sample_until(min_episodes=episodes)
        rolled: Sequence[Any] = rollout.rollout(
            policy, self.envs, until, self.rng, unwrap=False, exclude_infos=False, deterministic_policy=True
        )
        return rolled

    def evaluate(self) -> float:
        """The share of the worlds in which the policy reaches the goal."""
        plans = self.asked["evaluate"]
        self.worlds.give(plans, self.asked["steps"])
        ended = [one.infos[-1] for one in self.roll(self.trainer.policy, len(plans))]
        return len({one["plan"] for one in ended if one["reached"]}) / len(plans)


def seconds() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(asked: Path, answer: Path) -> None:
    """Run the loop once; what is imported is not counted."""
    torch.set_num_threads(1)
    datasets.disable_progress_bars()
    content = json.loads(asked.read_text())
    with TemporaryDirectory() as folder:
        Loop(little(content), Path(folder) / "little").run()  # imports what is imported late
        loop = Loop(content, Path(folder) / "whole")
        loop.run()
    answer.write_text(json.dumps({"seconds": loop.spent, "first": loop.first, "last": loop.last}))


def little(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with two episodes of each and one round."""
    practice = [asked["practice"][0][:2]]
    return {**asked, "demonstrate": asked["demonstrate"][:2], "practice": practice, "evaluate": asked["evaluate"][:2]}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
