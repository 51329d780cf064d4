"""Collecting and acting on `kuka_reach`, against a beginner's script: episodes and physics steps a CPU second."""

from statistics import median
import time

from stages.core import parquet, schemas, tables
from stages.core.conditions import conditions_of
from stages.core.episode import Episode, Plan
from stages.core.rollout import expert_controller, rollout
from stages.core.settings import load_settings
from stages.core.streams import stream
from stages.core.worlds import plan_episodes, with_noise
from stages.policies import POLICIES
from stages.tasks import TASKS
from stages.tasks.kuka.arm import Motion
from stages.tasks.kuka_reach import KukaReach
from tests.benchmarks import naive
from tests.benchmarks.figures import Figure
from tests.chain import ROOT

NAME, TURNS, OURS, THEIRS = "kuka_reach", 3, 100, 12  # theirs are the first of ours


def measure() -> list[Figure]:
    """In turns, in one process, imports left out; medians."""
    settings = load_settings(ROOT / "params.yaml", TASKS, POLICIES)
    task = TASKS.find(NAME)
    knobs = with_noise(task.knobs, settings.noise(NAME, "observation"), settings.noise(NAME, "demonstration"))
    ranges = conditions_of(settings, NAME, "demonstrate")["demonstrate"]
    plans = plan_episodes(knobs, ranges, OURS, "demonstrate", settings.seed, "demonstrate", NAME)
    max_steps = settings.of(settings.params.demonstrate, "demonstrate", NAME).max_steps
    lockstep = settings.params.compute.lockstep

    def collect(some: list[Plan]) -> tuple[list[Episode], float]:
        begun = time.process_time()
        episodes = list(rollout(task, expert_controller(task), some, max_steps, lockstep))
        return episodes, time.process_time() - begun

    collect(plans[:8])
    ways: dict[str, list[naive.Done]] = {"as often as ours": [], "in every physics step": []}
    rates = []
    for _ in range(TURNS):
        episodes, seconds = collect(plans)
        rates.append(OURS / seconds)
        for way, found in ways.items():
            found.append(naive.collect(plans[:THEIRS], max_steps, way == "in every physics step"))
    reached = sum(one.outcome == "success" for one in episodes)
    figures = [
        Figure(
            f"collection over a naive script that decides {way}: episodes a CPU second",
            median(rate / one.rate for rate, one in zip(rates, found, strict=True)),
            at_least=10,
        )
        for way, found in ways.items()
    ]
    figures.append(Figure("collection: ours", median(rates), "episodes/CPU s"))
    figures.append(Figure("collection: ours, stepSimulation alone", 1 / physics(episodes[:THEIRS]), "episodes/CPU s"))
    figures.append(Figure("collection: ours that reach the goal", 100 * reached / OURS, "%"))
    for way, found in ways.items():
        rate, done = median(one.rate for one in found), found[0]
        figures.append(Figure(f"collection: naive script that decides {way}", rate, "episodes/CPU s"))
        figures.append(Figure(f"collection: those that reach the goal, {way}", 100 * done.reached / done.episodes, "%"))
    return [*figures, *playing()]


def physics(episodes: list[Episode]) -> float:
    """CPU seconds an episode that its physics takes: no collection of these episodes is faster than that."""
    seconds = 0.0
    with KukaReach() as task:

        def advance(steps: int) -> Motion:
            nonlocal seconds
            begun = time.process_time()
            for _ in range(steps):
                task.arm.client.stepSimulation()
            seconds += time.process_time() - begun
            return task.arm.motion()

        task.arm.advance = advance  # type: ignore[method-assign]
        for episode in episodes:
            task.reset(episode.plan.world, stream(episode.plan.seed, "reset"))
            for command in episode.executed:
                task.step(command)
    return seconds / len(episodes)


def playing() -> list[Figure]:
    """scikit-learn's regressor in a naive loop, as a share of `stepSimulation` alone in the same world."""
    folder = ROOT / "data" / NAME / "round_0" / "dataset.parquet"
    steps = tables.expert_steps(
        parquet.read_table(folder, schemas.expert_schema(NAME, TASKS.find(NAME))), TASKS.find(NAME)
    )
    shares = []
    for _ in range(TURNS):
        done, raw = naive.play(steps.observations, steps.actions, 4, 100)
        shares.append(done.physics_steps / done.seconds / raw)
    return [Figure("naive loop with KNeighborsRegressor.predict, over stepSimulation alone", median(shares))]
