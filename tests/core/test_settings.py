"""params.yaml is taken as a whole or refused with one line that names key, found and allowed."""

from collections.abc import Callable
import math
from pathlib import Path
import subprocess
import sys
from typing import Any

from msgspec.structs import asdict
import pytest
import yaml

from stages.core.checks import PER_TASK
from stages.core.errors import UserError
from stages.core.params import Params, round_entry
from stages.core.settings import load_settings
from stages.core.task import NOISE_KNOBS
from stages.policies import POLICIES
from stages.tasks import TASKS

DELETED = object()
STAGES = {
    "demonstrate": ["distance", "--recordings", "none", "--output", "folder"],
    "train": ["distance", "none.parquet", "--policy", "out.npz", "--metrics", "out.json"],
    "evaluate": ["distance", "none.npz", "--output", "folder"],
    "practice": ["distance", "round_0", "none.npz", "--output", "folder"],
    "correct": ["distance", "round_0", "none", "--output", "out"],
    "measure": ["none", "--results", "out.csv", "--metrics", "out.json", "--plots", "folder"],
}


def write(path: Path, content: Any) -> Path:
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def put(content: dict[str, Any], key: str, value: object) -> None:
    """Set `a.b.0.c` to the value, or delete it."""
    *way, last = key.split(".")
    place: Any = content
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if value is DELETED:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value


def test_the_committed_parameters_are_valid(root: Path) -> None:
    params = load_settings(root / "params.yaml", TASKS, POLICIES).params
    for section in PER_TASK:
        assert set(params.tasks or []) <= set(getattr(params, section)), section
    assert [one.name for one in params.rounds or []] == [f"round_{n}" for n in range(len(params.rounds or []))]


def test_a_condition_has_what_is_common_where_it_says_nothing(tmp_path: Path) -> None:
    wide, narrow, none = ({"low": low, "high": 9.0} for low in (1.0, 8.0, 9.0))
    ranges = {"common": {"start": wide, "action_noise": none}, "evaluate": {"near": {}, "far": {"start": narrow}}}
    settings = load_settings(write(tmp_path / "params.yaml", {"randomization": {"distance": ranges}}), TASKS, POLICIES)
    found = {
        name: {knob: span.low for knob, span in spans.items()}
        for name, spans in settings.of(settings.params.randomization, "randomization", "distance").conditions().items()
    }
    assert found == {"near": {"start": 1.0, "action_noise": 9.0}, "far": {"start": 8.0, "action_noise": 9.0}}


def test_a_purpose_draws_the_families_that_are_named_and_has_the_last_word(tmp_path: Path) -> None:
    one, two, three = ({"low": low, "high": 9.0} for low in (1.0, 2.0, 3.0))
    ranges = {
        "domain": {"sensors": {"observation_bias": one, "observation_noise": one}, "motors": {"action_noise": two}},
        "randomize": ["sensors"],
        "practice": {"start": two, "observation_noise": three},
    }
    settings = load_settings(write(tmp_path / "params.yaml", {"randomization": {"distance": ranges}}), TASKS, POLICIES)
    own = settings.of(settings.params.randomization, "randomization", "distance")
    found = {knob: span.low for knob, span in own.trained(own.practice or {}).items()}
    assert found == {"observation_bias": 1.0, "start": 2.0, "observation_noise": 3.0}


def test_every_knob_of_the_committed_domain_says_its_unit_and_default(root: Path) -> None:
    text = (root / "params.yaml").read_text()
    params = load_settings(root / "params.yaml", TASKS, POLICIES).params
    for task, own in (params.randomization or {}).items():
        listed = {knob for spans in (own.domain or {}).values() for knob in spans}
        block = text[text.index(f"\n  {task}:\n    domain:") :]
        for name in listed:
            knob = {**TASKS.find(task).knobs, **NOISE_KNOBS}[name]
            line = next(line for line in block.splitlines() if line.startswith(f"        {name}:"))
            assert line.endswith(f"default {knob.default:g}"), line
            assert knob.unit in line or knob.unit in ("1", "of the channel"), line


def test_every_section_may_be_absent(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path / "params.yaml", {}), TASKS, POLICIES).params == Params()


def test_a_value_that_is_absent_is_told_when_it_is_asked_for(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path / "params.yaml", {"noise": {"distance": {}}}), TASKS, POLICIES)
    for ask, key in (
        (lambda: settings.seed, "seed"),
        (lambda: settings.noise("distance", "action"), "noise.distance.action"),
        (lambda: settings.noise("kuka_reach", "action"), "noise.kuka_reach"),
        (lambda: settings.response("distance"), "shift.distance"),
    ):
        with pytest.raises(UserError, match=f": {key}: found nothing, allowed: a value$"):
            ask()


@pytest.mark.parametrize(("text", "value"), [("1e-05", 1e-5), ("1.5e-07", 1.5e-7), ("1E2", 100.0), ("2", 2.0)])
def test_numbers_are_read_as_dvc_writes_them(text: str, value: float, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"noise:\n  distance:\n    action: {text}\n")
    assert load_settings(path, TASKS, POLICIES).noise("distance", "action") == value


def test_the_next_round_follows_from_the_one_before(tmp_path: Path) -> None:
    rounds = [asdict(round_entry(number)) for number in range(12)]
    settings = load_settings(write(tmp_path / "params.yaml", {"rounds": rounds}), TASKS, POLICIES)
    assert len(settings.params.rounds or []) == 12
    assert rounds[11] == {
        "name": "round_11",
        "rows": "round_10/dataset.parquet",
        "more": "round_10/corrections.parquet",
    }


NAMED = "text that matches ^[a-z][a-z0-9_]*$"
START = "randomization.distance.practice.start"
REACH = "randomization.kuka_reach.evaluate.far"
PLACE = "randomization.kuka_pick_place.evaluate.far"
GATES = "'all', 'either', 'failure', 'random', 'shift' or 'surprise'"
EYES = "policy.kuka_reach_camera.embedding"
# key, value, key in the message, found, allowed
BROKEN: list[tuple[str, object, str, str, str]] = [
    # unknown keys, at every level
    ("sed", 1, "sed", "an unknown key", "seed, evaluation_seed, tasks, rounds"),
    ("compute.cores", 1, "compute.cores", "an unknown key", "jobs, backend, lockstep, scheduler"),
    ("rounds.1.from", "x", "rounds.1.from", "an unknown key", "name, rows, more"),
    ("noise.distance.acton", 0.1, "noise.distance.acton", "an unknown key", "observation, action, demonstration"),
    ("policy.distance.k", 3, "policy.distance.k", "an unknown key", "kind, neighbors, weights, features"),
    ("policy.distance.features.distance.log", 1, "policy.distance.features.distance.log", "an unknown key", "scale"),
    ("randomization.distance.practise", {}, "randomization.distance.practise", "an unknown key", "domain, rand"),
    (f"{START}.mid", 1.0, f"{START}.mid", "an unknown key", "low, high"),
    (f"{REACH}.goal_y.mid", 1.0, f"{REACH}.goal_y.mid", "an unknown key", "low, high"),
    # names that are not there
    ("tasks", ["distnace"], "tasks.0", "distnace", "distance, "),
    ("tasks", ["distance", "distance"], "tasks.1", "distance again", "each task once"),
    ("demonstrate.distance.recordings", ["a.csv", "b.csv", "a.csv"], "demonstrate.distance.recordings", "a.csv again",
     "each file once"),
    ("noise.walk", {}, "noise.walk", "an unknown task", "distance, "),
    ("policy.distance.kind", "forest", "policy.distance.kind", "forest", "knn, "),
    ("policy.distance.kind", "KNN", "policy.distance.kind", "KNN", "knn, "),
    ("policy.distance.kind", "k\nn", "policy.distance.kind", r"k\nn", "knn, "),
    ("policy.distance.features.offset", {"scale": 1.0}, "policy.distance.features.offset", "an unknown group", "dist"),
    (f"{EYES}.sees", "smell", f"{EYES}.sees", "smell", "joint, colour, pixel"),
    (f"{EYES}.sees", "offset", f"{EYES}.sees", "offset", "joint, colour, pixel"),
    (f"{EYES}.tells", "fortune", f"{EYES}.tells", "fortune", "joint, offset, colour, pixel"),
    (f"{EYES}.components", 0, f"{EYES}.components", "0", "at least 1"),
    ("policy.kuka_reach_camera.features.offset", {"scale": 1.0}, "policy.kuka_reach_camera.features.offset",
     "an unknown group", "joint, colour, pixel, embedded"),
    ("policy.kuka_reach.features.embedded", {"scale": 1.0}, "policy.kuka_reach.features.embedded",
     "an unknown group", "joint, offset"),
    ("randomization.distance.practice.mass", {"low": 1, "high": 2}, "randomization.distance.practice.mass",
     "an unknown knob", "start, observation_noise, observation_bias, action_noise"),
    (f"{REACH}.mass", {"low": 1, "high": 2}, f"{REACH}.mass", "an unknown knob", "goal_x, goal_y"),
    ("randomization.distance.randomize", ["motors"], "randomization.distance.randomize", "motors", "sensors"),
    (
        *("randomization.distance.randomize", ["sensors", "sensors"]),
        *("randomization.distance.randomize", "sensors again", "each family once"),
    ),
    ("randomization.distance.domain.sensors.mass", {"low": 1, "high": 2}, "randomization.distance.domain.sensors.mass",
     "an unknown knob", "start, observation_noise"),
    ("policy.distance.trust", {"dog": 1.0}, "policy.distance.trust", "'dog'", "'correction', 'expert' or 'person'"),
    ("policy.distance.trust", {"person": 0.0}, "policy.distance.trust.person", "0.0", "at least 1e-30"),
    ("correct.distance.gate", "door", "correct.distance.gate", "'door'", GATES),
    ("correct.distance.priority", "first", "correct.distance.priority", "'first'", "'failures' or 'none'"),
    ("correct.distance.mode", "ask", "correct.distance.mode", "'ask'", "'label', 'mixed' or 'takeover'"),
    ("shift.distance.response", "run", "shift.distance.response", "'run'", "'act', 'ask', 'hold' or 'runaway'"),
    ("compute.backend", "ray", "compute.backend", "'ray'", "'dask', 'fork', 'loky', 'sequential' or 'threading'"),
    ("compute.backend", "dask", "compute.scheduler", "nothing", "such as tcp://host:8786, as compute.backend is dask"),
    ("compute.scheduler", "host", "compute.scheduler", "'host'", "text that matches"),
    ("policy.distance.weights", "gauss", "policy.distance.weights", "'gauss'", "'distance' or 'uniform'"),
    # names that are no names
    ("noise.Walk Fast", {}, "noise", "'Walk Fast'", NAMED),
    ("randomization.distance.evaluate.Near By", {}, "randomization.distance.evaluate", "'Near By'", NAMED),
    ("correct.distance.recordings.one", "x.csv", "correct.distance.recordings", "'one'", "text that matches"),
    ("correct.distance.recordings.round_0", "x.csv", "correct.distance.recordings", "'round_0'", "text that matches"),
    # types
    ("seed", "1", "seed", "'1'", "a whole number"),
    ("seed", True, "seed", "True", "a whole number"),
    ("seed", 1.5, "seed", "1.5", "a whole number"),
    ("evaluate.distance.episodes", 10.0, "evaluate.distance.episodes", "10.0", "a whole number"),
    ("evaluate.distance.max_steps", "40", "evaluate.distance.max_steps", "'40'", "a whole number"),
    ("policy.distance.neighbors", True, "policy.distance.neighbors", "True", "a whole number"),
    ("noise.distance.action", True, "noise.distance.action", "True", "a number"),
    ("noise.distance.action", "much", "noise.distance.action", "'much'", "a number"),
    ("shift.distance.threshold", "auto", "shift.distance.threshold", "'auto'", "a number"),
    ("tasks", "distance", "tasks", "'distance'", "a list"),
    ("tasks", [1], "tasks.0", "1", "text"),
    ("demonstrate.distance.recordings", "lab.csv", "demonstrate.distance.recordings", "'lab.csv'", "a list"),
    ("demonstrate", [1, 2], "demonstrate", "a list of 2", "keys with values"),
    ("demonstrate.distance", 3, "demonstrate.distance", "3", "keys with values"),
    ("demonstrate.distance", None, "demonstrate.distance", "nothing", "keys with values"),
    ("rounds", 4, "rounds", "4", "a list"),
    ("rounds.1", "round_1", "rounds.1", "'round_1'", "keys with values"),
    (START, 3.0, START, "3.0", "keys with values"),
    ("randomization.distance.evaluate.near", [1], "randomization.distance.evaluate.near", "a list of 1", "keys with"),
    # numbers
    ("seed", -1, "seed", "-1", "at least 0"),
    ("seed", 2**63, "seed", str(2**63), f"at most {2**63 - 1}"),
    ("compute.jobs", 0, "compute.jobs", "0", "a number of processes, or -1"),
    ("compute.jobs", -2, "compute.jobs", "-2", "at least -1"),
    ("compute.lockstep", 0, "compute.lockstep", "0", "at least 1"),
    ("demonstrate.kuka_reach.episodes", -1, "demonstrate.kuka_reach.episodes", "-1", "at least 0"),
    ("demonstrate.kuka_reach.episodes", 0, "demonstrate.kuka_reach.episodes", "0 and no recordings", "at least 1"),
    ("practice.distance.episodes", 0, "practice.distance.episodes", "0", "at least 1"),
    ("evaluate.distance.episodes", 0, "evaluate.distance.episodes", "0", "at least 1"),
    ("evaluate.distance.max_steps", 0, "evaluate.distance.max_steps", "0", "at least 1"),
    ("policy.distance.neighbors", 0, "policy.distance.neighbors", "0", "at least 1"),
    ("policy.distance.features.distance.scale", 0, "policy.distance.features.distance.scale", "0",
     "at least 1e-30"),
    ("train.distance.folds", 1, "train.distance.folds", "1", "at least 2"),
    ("shift.distance.threshold", -1.0, "shift.distance.threshold", "-1.0", "more than 0"),
    ("shift.distance.quantile", 1.1, "shift.distance.quantile", "1.1", "at most 1"),
    ("shift.distance.quantile", -0.1, "shift.distance.quantile", "-0.1", "at least 0"),
    ("shift.distance.quantile", math.nan, "shift.distance.quantile", "nan", "a finite number"),
    ("noise.distance.action", -0.02, "noise.distance.action", "-0.02", "at least 0"),
    ("noise.distance.action", math.nan, "noise.distance.action", "nan", "a finite number"),
    ("noise.distance.action", math.inf, "noise.distance.action", "inf", "a finite number"),
    ("correct.distance.budget", -1, "correct.distance.budget", "-1", "at least 0"),
    (START, {"low": 2, "high": 1}, START, "low 2, high 1", "low at most high"),
    (f"{START}.low", math.nan, f"{START}.low", "nan", "a finite number"),
    (f"{START}.high", math.inf, f"{START}.high", "inf", "a finite number"),
    ("randomization.distance.practice.action_noise", {"low": -1, "high": 2},
     "randomization.distance.practice.action_noise.low", "-1.0", "at least 0"),
    (f"{PLACE}.friction", {"low": -0.4, "high": 0.5}, f"{PLACE}.friction.low", "-0.4", "at least 0"),
    (f"{PLACE}.friction", {"low": -2, "high": -1}, f"{PLACE}.friction.low", "-2.0", "at least 0"),
    (f"{PLACE}.link_mass", {"low": -1, "high": 1}, f"{PLACE}.link_mass.low", "-1.0", "at least 0.01"),
    (f"{PLACE}.cube_size", {"low": 0, "high": 0}, f"{PLACE}.cube_size.low", "0.0", "at least 0.002"),
    (f"{PLACE}.gravity", {"low": -9.8, "high": 10}, f"{PLACE}.gravity.low", "-9.8", "at least 0"),
    (f"{PLACE}.physics_rate", {"low": -5, "high": 240}, f"{PLACE}.physics_rate.low", "-5.0", "at least 1"),
    (f"{PLACE}.motor_gain", {"low": 0.1, "high": 1e90}, f"{PLACE}.motor_gain.high", "1e+90", "at most 10"),
    (f"{PLACE}.latency", {"low": 1e9, "high": 1e30}, f"{PLACE}.latency.low", "1000000000.0", "at most 10000"),
    ("randomization.kuka_reach_camera.domain.colours.goal_texture", {"low": 0, "high": 20},
     "randomization.kuka_reach_camera.domain.colours.goal_texture.high", "20.0", "at most 12"),
    ("randomization.kuka_joints.practice", {"movement": {"low": 0.5, "high": 1.5}},
     "randomization.kuka_joints.practice.movement", "0.5 to 1.5", "whole numbers"),
    ("practice.distance.episodes", 10**10, "practice.distance.episodes", "10000000000", "at most 1000000000"),
    (f"{START}.high", 1e200, f"{START}.high", "1e+200", "at most 1e+100"),
    (f"{START}.low", -1e200, f"{START}.low", "-1e+200", "at least -1e+100"),
    ("policy.distance.features.distance.scale", 1e-300, "policy.distance.features.distance.scale", "1e-300",
     "at least 1e-30"),
    # words that would break the line, or fill the screen
    ("compute.backend", "a\nb", "compute.backend", r"'a\nb'", "'dask', 'fork'"),
    ("noise.distance.a\nb", 1, r"noise.distance.a\nb", "an unknown key", "observation"),
    (f"{REACH}.a\nb", {"low": 1, "high": 2}, rf"{REACH}.a\nb", "an unknown knob", "goal_x, goal_y"),
    ("rounds.0.more", "a\nb", "rounds.0.more", r"a\nb", "demonstrations/episodes.parquet"),
    ("compute.backend", "a" * 9000, "compute.backend", "'" + "a" * 119 + "…", "'dask', 'fork'"),
    # too few, too many, missing
    ("tasks", [], "tasks", "a list of 0", "at least 1"),
    ("rounds", [], "rounds", "a list of 0", "at least 1"),
    ("policy.distance.features", {}, "policy.distance.features", "no keys", "at least 1"),
    ("randomization.distance.evaluate", {}, "randomization.distance.evaluate", "no condition", "at least 1"),
    ("randomization.distance.evaluate", {"all": {}}, "randomization.distance.evaluate", "all", "other names"),
    ("randomization.distance.evaluate", {"rows": {}}, "randomization.distance.evaluate", "rows", "other names"),
    ("policy.distance.kind", DELETED, "policy.distance.kind", "nothing", "a value"),
    ("demonstrate.distance.max_steps", DELETED, "demonstrate.distance.max_steps", "nothing", "a value"),
    (f"{START}.high", DELETED, f"{START}.high", "nothing", "a value"),
    ("shift.kuka_reach.quantile", None, "shift.kuka_reach.quantile", "nothing", "a share"),
    # rounds that are no chain
    ("rounds.1.name", "round_2", "rounds.1.name", "round_2", "round_1"),
    ("rounds.0.name", "round_00", "rounds.0.name", "round_00", "round_0"),
    ("rounds.0.name", "first", "rounds.0.name", "'first'", "text that matches"),
    ("rounds.2.rows", "round_0/dataset.parquet", "rounds.2.rows", "round_0/dataset.parquet", "round_1/dataset.parquet"),
    ("rounds.2.more", "x", "rounds.2.more", "x", "round_1/corrections.parquet"),
    ("rounds", [asdict(round_entry(1)), asdict(round_entry(0))], "rounds.0.name", "round_1", "round_0"),
    ("rounds", [asdict(round_entry(0))] * 2, "rounds.1.name", "round_0", "round_1"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "named", "found", "allowed"), BROKEN)
def test_a_broken_value_gives_one_line(
    key: str, value: object, named: str, found: str, allowed: str, content: dict[str, Any], tmp_path: Path
) -> None:
    put(content, key, value)
    path = write(tmp_path / "params.yaml", content)
    with pytest.raises(UserError) as told:
        load_settings(path, TASKS, POLICIES)
    line = str(told.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: {named}: found {found}, allowed: {allowed}")


TEXTS = {
    "": "the file: found nothing, allowed: keys with values",
    "# nothing but a remark\n": "the file: found nothing, allowed: keys with values",
    "- 1\n": "the file: found a list of 1, allowed: keys with values",
    "hello": "the file: found 'hello', allowed: keys with values",
    "1: 2": "1: found 1, allowed: text",
    "a: [": "not YAML (while parsing",
    "a: !!python/object/apply:os.getcwd []": "not YAML (could not determine a constructor",
    "a: 1\n b: 2": "not YAML (mapping values are not allowed",
    "seed: 1\nseed: 2": "not YAML (seed is there twice",
    "seed: {a: 1, a: 1}": "not YAML (a is there twice",
    "seed: 2001-99-99": "not YAML (month must be in 1..12",
    "seed: !!bool x": "not YAML ('x')",
    f"seed: {'9' * 5000}": "not YAML (Exceeds the limit",
    f"seed: 0x{'f' * 5000}": "not YAML (Exceeds the limit",
    "seed: " + "[" * 20_000: "not YAML (more than 50 levels deep",
    "- " * 2000: "not YAML (more than 50 levels deep",
    "&a [*a]": "the file: found a list of 1, allowed: keys with values",
    b"\xff\xfe\x00": "not YAML ('utf-8' codec",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_file_that_holds_no_parameters_gives_one_line(text: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError) as told:
        load_settings(path, TASKS, POLICIES)
    assert str(told.value).startswith(f"{path}: {TEXTS[text]}")
    assert "\n" not in str(told.value)


def test_everything_that_is_wrong_is_told_at_once_one_line_each(content: dict[str, Any], tmp_path: Path) -> None:
    put(content, "seed", -1)
    put(content, "noise.distance.action", "x")
    with pytest.raises(UserError) as told:
        load_settings(write(tmp_path / "params.yaml", content), TASKS, POLICIES)
    assert [line.split(": ")[-3] for line in str(told.value).splitlines()] == ["seed", "noise.distance.action"]


# What a stage makes of it


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_refuses_broken_parameters_and_leaves_its_outputs(
    name: str, content: dict[str, Any], stage: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    former = [Path("out"), Path("folder") / ("error.csv" if name == "measure" else "steps.parquet")]
    Path("folder").mkdir()
    for path in former:
        path.write_text("old")
    put(content, "noise.distance.action", -1)
    write(Path("params.yaml"), content)
    ended = stage(name, *STAGES[name])
    assert ended.status == 2
    assert ended.output == "error: params.yaml: noise.distance.action: found -1, allowed: at least 0\n"
    assert [path.read_text() for path in former] == ["old", "old"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "out", "params.yaml"]


@pytest.mark.parametrize("name", ["correct", "train"])
def test_a_stage_as_a_program_ends_with_status_2_and_no_traceback(
    name: str, content: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    put(content, "policy.distance.neighbors", 0)
    path, output = write(tmp_path / "params.yaml", content), tmp_path / "out"
    output.write_text("old")
    arguments = [str(output) if one == "out" else one for one in STAGES[name]]
    ended = subprocess.run(
        [sys.executable, "-m", f"stages.{name}", *arguments, "--params", str(path)],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr == f"error: {path}: policy.distance.neighbors: found 0, allowed: at least 1\n"
    assert ended.stdout == ""
    assert output.read_text() == "old"


@pytest.mark.parametrize("name", [*STAGES, "build"])
def test_every_stage_says_how_it_is_used(name: str, stage: Callable[..., Any]) -> None:
    ended = stage(name, "--help")
    assert ended.status == 0
    assert f"usage: {name}" in ended.output


def test_help_calls_a_command_as_one_calls_it(root: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "stages.rounds", "--help"], cwd=root, capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("usage: python -m stages.rounds ")
