"""Which seed decides about which worlds."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace
import pytest
import yaml

from stages.core import tables
from stages.core.conditions import conditions_of
from stages.core.settings import Settings
from stages.core.worlds import evaluation_plans
from stages.tasks import TASKS


def with_seeds(settings: Settings, **changes: int) -> Settings:
    """The same but for those seeds."""
    return Settings(settings.path, replace(settings.params, **changes))


@pytest.mark.parametrize("name", ["distance", "kuka_reach"])
def test_evaluation_goes_by_its_own_seed_and_each_condition_has_worlds_of_its_own(
    name: str, settings: Settings
) -> None:
    task, conditions = TASKS.find(name), conditions_of(settings, name, "evaluate")

    def seeds(changed: Settings) -> list[int]:
        return [plan.seed for plan in evaluation_plans(name, task, changed, conditions, 20)]

    first = seeds(settings)
    assert len(set(first)) == len(first) == 20 * len(conditions)
    assert seeds(with_seeds(settings, seed=settings.seed + 1)) == first
    assert not set(seeds(with_seeds(settings, evaluation_seed=settings.evaluation_seed + 1))) & set(first)


def test_practice_goes_by_the_training_seed(chain: Any, stage: Any, tmp_path: Path) -> None:
    content = yaml.safe_load(chain.params.read_text())
    found = {}
    for key in ("seed", "evaluation_seed"):
        (tmp_path / key).write_text(yaml.safe_dump({**content, key: content[key] + 1}))
        output = tmp_path / f"by_{key}"
        policy = chain.data / "distance" / "round_0" / "policy.npz"
        ended = stage("practice", "distance", "round_0", policy, "--params", tmp_path / key, "--output", output)
        assert ended.status == 0, ended.output
        found[key] = tables.list_episodes(output, "distance", TASKS.find("distance"))["seed"].to_pylist()
    folder = chain.data / "distance" / "round_0" / "practice"
    before = tables.list_episodes(folder, "distance", TASKS.find("distance"))["seed"].to_pylist()
    assert found["evaluation_seed"] == before
    assert not set(found["seed"]) & set(before)
