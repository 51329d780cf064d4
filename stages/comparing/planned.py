"""The worlds that the parameters plan now: to recorded pairs they add only if those ran in the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.comparing.further import Contest
from stages.comparing.pairing import Pairs
from stages.core.episode import Plan
from stages.core.errors import UserError
from stages.core.streams import stream
from stages.core.task import World


def planned_worlds(paired: Sequence[Pairs], contests: Mapping[str, Contest], most: int) -> list[list[Plan]]:
    """The first `most` worlds of each condition; UserError where recorded pairs ran in others than are planned."""
    counts: dict[str, int] = {}
    for one in paired:
        counts[one.task] = max(counts.get(one.task, most), len(one) + one.copies + one.differing)
    worlds = {task: contests[task].worlds(count) for task, count in counts.items()}
    for one in paired:
        _check(one, worlds[one.task].get(one.condition, []), contests[one.task].settings.path)
        _check_given(one, contests[one.task])
    return [worlds[one.task].get(one.condition, [])[:most] for one in paired]


def _check(pairs: Pairs, plans: Sequence[Plan], params: Path) -> None:
    """UserError unless every recorded pair ran in the world that is planned for its seed, to the last bit."""
    planned = {plan.seed: plan.world for plan in plans}
    for place, seed in enumerate(pairs.seeds.tolist()):
        ran = {knob: float(values[place]) for knob, values in pairs.worlds.items()}
        if planned.get(seed) != ran:
            found = _other(planned.get(seed), ran) if planned else "no such condition"
            allowed = "the worlds of its evaluation (`dvc repro` evaluates in those of now)"
            raise UserError(f"{params}: {pairs.task} {pairs.condition}: found {found}, allowed: {allowed}")


def _check_given(pairs: Pairs, contest: Contest) -> None:
    """UserError unless what else was given in each of the recorded pairs is given in its world now."""
    if not pairs.given:
        return
    with contest.make() as task:
        for place, seed in enumerate(pairs.seeds.tolist()):
            world = {knob: float(values[place]) for knob, values in pairs.worlds.items()}
            task.reset(world, stream(seed, "reset"))
            now = task.given()
            others = [name for name, values in pairs.given.items() if now.get(name) != values[place]]
            if others:
                found = f"found others than {pairs.task} {pairs.condition} was evaluated with ({', '.join(others)})"
                raise UserError(f"{contest.demonstrations}: {found}, allowed: the same")


def _other(planned: World | None, ran: World) -> str:
    """What is not as it was in that world."""
    if planned is None:
        return "other seeds"
    return f"another {', '.join(sorted(knob for knob in {*planned, *ran} if planned.get(knob) != ran.get(knob)))}"
