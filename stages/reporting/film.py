"""What is shown of an episode, task by task; a task without an entry shows nothing."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stages.core import tables
from stages.core.columns import values
from stages.core.task import Floats, vector
from stages.reporting.arm_film import HEIGHT, WIDTH, BenchScene, Scene, film, moments
from stages.reporting.drawing import INK, MUTED, chart, round_colour
from stages.reporting.pairs import Pair, Run
from stages.reporting.picture import JPEG, Figure, Picture
from stages.reporting.wording import listing, quantity, seconds
from stages.tasks import TASKS
from stages.tasks.kuka.kinematics import JOINTS, tool_and_jacobian

FRAMES = 6
_LINE = "The line is the tool's way so far."
_ENDINGS = {"success": "succeeds", "crash": "crashes", "timeout": "runs out of time"}


def _ending(pair: Pair, run: Run) -> str:
    if pair.task == "kuka_joints" and run.outcome == "timeout":
        return "does not follow within the bounds"
    return _ENDINGS[run.outcome]


def _strip(pair: Pair, run: Run, images: Sequence[bytes], caption: str) -> Figure:
    """The arm along one run."""
    unit = TASKS.find(pair.task).error_unit
    pictures = []
    for moment, image in zip(moments(len(run.steps), FRAMES), images, strict=True):
        step = run.steps.iloc[moment]
        time, error, shift = seconds(step["timestamp"]), quantity(step["error"], unit), bool(step["shift"])
        ratio = step["novelty"] / run.threshold
        novelty = f"novelty {f'{ratio:.2g}' if ratio >= 0.01 else '<0.01'} \N{MULTIPLICATION SIGN}"
        alt = f"The arm {time} into the episode, error {error}, {novelty} the threshold."
        pictures.append(Picture(image, JPEG, alt, WIDTH, HEIGHT, (time, error, novelty), shift))
    return Figure(f"Round {run.round}: the policy {_ending(pair, run)}", caption, tuple(pictures), "film")


def reach(pair: Pair) -> list[Figure]:
    """The arm on its way to the goal, run by run."""
    world = pair.runs[0].world
    goal = (world["goal_x"], world["goal_y"], world["goal_z"])
    angles = [run.channels("joint") for run in pair.runs]
    ways = [np.vstack([tool_and_jacobian(one)[0], goal]) for one in angles]
    films = film(lambda client: Scene(client, goal), angles, ways, FRAMES)
    caption = "The sphere is the goal, the line the tool's way so far."
    return [_strip(pair, run, images, caption) for run, images in zip(pair.runs, films, strict=True)]


def joints(pair: Pair) -> list[Figure]:
    """The arm in the demonstration and run by run, and angle and error over time against the demonstration."""
    shown = _demonstration(pair)
    angles = [shown, *(run.channels("joint") for run in pair.runs)]
    first, *others = film(Scene, angles, [tool_and_jacobian(one)[0] for one in angles], FRAMES)
    strips = [_strip(pair, run, images, _LINE) for run, images in zip(pair.runs, others, strict=True)]
    return [_shown_strip(pair, shown, first), *strips, _joint_charts(pair, shown)]


def _demonstration(pair: Pair) -> Floats:
    """Joint angles (T, 7) [rad] of the demonstration that the pair's world asks to follow."""
    task = TASKS.find(pair.task)
    steps, _ = tables.read_episodes(pair.folder / "demonstrations", pair.task, task)
    part = tables.episode_slices(values(steps["episode_index"]))[int(pair.runs[0].world["movement"])]
    return tables.matrix(steps, "observation", vector("joint", "rad", JOINTS))[part]


def _joint_charts(pair: Pair, shown: Floats) -> Figure:
    period = TASKS.find(pair.task).control_period
    widest = int(np.ptp(shown, axis=0).argmax())
    with chart(4.4, 2.7) as drawn:
        axes = drawn.axes
        axes.plot(*_thin(shown[:, widest], period), color=INK, linestyle="--", label="demonstration")
        for run in pair.runs:
            colour = round_colour(run.round, pair.rounds)
            axes.plot(*_thin(run.channels("joint")[:, widest], period), color=colour, label=f"round {run.round}")
        axes.set(title=f"joint {widest + 1}", xlabel="time [s]", ylabel="angle [rad]")
        axes.legend(loc="best")
        angle = drawn.picture(f"Angle of joint {widest + 1} over time: the demonstration and the policy's rounds.")
    with chart(4.4, 2.7) as drawn:
        axes = drawn.axes
        for run in pair.runs:
            colour = round_colour(run.round, pair.rounds)
            times, errors = _thin(run.steps["error"].to_numpy(), period)
            axes.plot(times + period, errors, color=colour, label=f"round {run.round}")
        axes.set(title="mean joint error", xlabel="time [s]", ylabel="error [rad]")
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")
        told = [f"{quantity(run.steps['error'].mean(), 'rad')} in round {run.round}" for run in pair.runs]
        error = drawn.picture(f"Mean joint error over time; over the episode {listing(told)}.")
    caption = (
        f"The joint that moves most and the mean error of all moving joints, against the demonstration (dashed), over "
        f"time; over the episode the error is {listing(told)}."
    )
    return Figure("Following the demonstration", caption, (angle, error))


def _thin(course: Floats, period: float) -> tuple[Floats, Floats]:
    """Times [s] and values, at most some hundreds of points of them."""
    frames = np.arange(0, len(course), max(1, len(course) // 300))
    times: Floats = np.asarray(frames * period, dtype=np.float64)
    return times, course[frames]


def _shown_strip(pair: Pair, shown: Floats, images: Sequence[bytes]) -> Figure:
    period = TASKS.find(pair.task).control_period
    pictures = []
    for moment, image in zip(moments(len(shown), FRAMES), images, strict=True):
        time = seconds(moment * period)
        pictures.append(Picture(image, JPEG, f"The arm {time} into the demonstration.", WIDTH, HEIGHT, (time,)))
    return Figure("The demonstration", _LINE, tuple(pictures), "film row")


def distance(pair: Pair) -> list[Figure]:
    """The distance step by step, between the bounds of a crash."""
    from stages.tasks.distance import ARRIVED, HIGHEST, LOWEST

    pictures = []
    for run in pair.runs:
        places, steps = _places(run)
        colour = round_colour(run.round, pair.rounds)
        with chart(4.4, 2.7) as drawn:
            axes = drawn.axes
            axes.axhspan(HIGHEST, HIGHEST + 5, color=MUTED, alpha=0.25, linewidth=0)
            axes.axhspan(LOWEST - 2, LOWEST, color=MUTED, alpha=0.25, linewidth=0)
            axes.annotate("crash", (0.99, HIGHEST + 2.5), xycoords=("axes fraction", "data"), ha="right", va="center")
            axes.axhspan(-ARRIVED, ARRIVED, color=INK, alpha=0.5, linewidth=0)
            axes.plot(steps, places, color=colour)
            novel = np.append(run.steps["shift"].to_numpy(), False)  # no novelty where it ended
            axes.plot(steps[~novel], places[~novel], "o", color=colour, markersize=4)
            axes.plot(steps[novel], places[novel], "X", color=colour, markersize=8, label="novelty above threshold")
            axes.set(title=f"round {run.round}: {_ending(pair, run)}", xlabel="step", ylabel="distance [m]")
            axes.set(xlim=(-0.5, max(len(one.steps) for one in pair.runs) + 0.5), ylim=(LOWEST - 2, HIGHEST + 5))
            if novel.any():
                axes.legend(loc="center right")
            told = f"from {places[0]:.1f} m to {places[-1]:.2g} m in {len(run.steps)} steps; it {_ending(pair, run)}"
            pictures.append(drawn.picture(f"Distance over steps in round {run.round}, {told}."))
    caption = (
        f"Condition {pair.condition}, episode {pair.episode}: distance to the target [m] after each step. The dark "
        f"line at zero is where it has arrived (±{ARRIVED} m), beyond {LOWEST:g} and {HIGHEST:g} m (grey) it crashes."
    )
    return [Figure("Distance, step by step", caption, tuple(pictures))]


def _places(run: Run) -> tuple[Floats, Floats]:
    """Distances (T + 1,) [m] that were observed, and where the last step led, and the numbers of the steps."""
    observed, executed = run.channels("distance")[:, 0], run.steps["executed.step"].to_numpy()
    places = np.append(observed, observed[-1] + executed[-1])
    return places, np.arange(len(places), dtype=float)


def pick_place(pair: Pair) -> list[Figure]:
    """The arm, the cube and its target, run by run."""
    world = pair.runs[0].world
    size, target = world["cube_size"], (world["target_x"], world["target_y"])
    seen = [_bench_moments(run, size, target) for run in pair.runs]
    cubes = [one[:, JOINTS + 1 : JOINTS + 4] for one in seen]
    ways = [cube - run.channels("grasp") for cube, run in zip(cubes, pair.runs, strict=True)]
    films = film(lambda client: BenchScene(client, size, target), seen, ways, FRAMES)
    caption = "The blue cube belongs on the square; the line is the tool's way so far."
    return [_strip(pair, run, images, caption) for run, images in zip(pair.runs, films, strict=True)]


def _bench_moments(run: Run, size: float, target: tuple[float, float]) -> Floats:
    """What a scene of the bench takes (T, 12), from what was observed: joints, finger, cube's centre and yaw."""
    joints, height = run.channels("joint"), run.channels("height")
    yaw = run.channels("yaw")[:, 0] + joints[:, 0] - joints[:, JOINTS - 1]
    cube = np.column_stack([np.array(target) - run.channels("carry"), height + size / 2])
    return np.column_stack([joints, run.channels("opening") / 2, cube, yaw])


FILMS: Mapping[str, Callable[[Pair], list[Figure]]] = {
    "distance": distance,
    "kuka_joints": joints,
    "kuka_reach": reach,
    "kuka_pick_place": pick_place,
}
