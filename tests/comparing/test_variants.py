"""Variants of a study are held against others seed by seed, and more of them make each harder to prove."""

from pathlib import Path

from stages.comparing.evaluations import Evaluation, read_evaluation
from stages.comparing.significance import holm
from stages.comparing.variants import LEVEL, compare_variants
from tests.evaluations import some, write_evaluation

COUNT = 40


def reaching(folder: Path, near: int, far: int) -> Evaluation:
    """So many successes of 40 episodes each."""
    wins = {"near": some(near, COUNT), "far": some(far, COUNT)}
    return read_evaluation(write_evaluation(folder, wins) / "evaluation")


def test_each_is_held_against_the_one_that_is_asked_for(tmp_path: Path) -> None:
    evaluations = {"a": reaching(tmp_path / "a", 20, 20), "b": reaching(tmp_path / "b", 40, 19)}
    evaluations["c"] = reaching(tmp_path / "c", 20, 40)
    found = [(one.variant, one.against, one.comparison) for one in compare_variants(evaluations, {"c": "b", "b": "a"})]
    assert [(variant, against, one.condition) for variant, against, one in found] == [
        ("c", "b", "near"),
        ("c", "b", "far"),
        ("b", "a", "near"),
        ("b", "a", "far"),
    ]
    assert [one.verdict for *_, one in found] == ["worse", "better", "better", "no evidence"]
    assert [(one.lost, one.gained) for *_, one in found] == [(20, 0), (0, 21), (0, 20), (1, 0)]


def test_all_that_a_round_compares_is_adjusted_for_at_once(tmp_path: Path) -> None:
    wins = {"a": 20, "b": 26, "c": 26, "d": 22}
    evaluations = {name: reaching(tmp_path / name, near, 20) for name, near in wins.items()}
    held = compare_variants(evaluations, dict.fromkeys("bcd", "a"))
    raw, adjusted = ([getattr(one.comparison, kind) for one in held] for kind in ("p", "p_adjusted"))
    assert adjusted == holm(raw, [one.comparison.counted for one in held]).tolist()
    # Six more successes, and none lost, prove something by themselves, but not twice.
    (alone, _) = compare_variants(evaluations, {"b": "a"})
    assert alone.comparison.p == held[0].comparison.p < LEVEL
    assert (alone.comparison.verdict, held[0].comparison.verdict) == ("better", "no evidence")


def test_what_has_no_seed_in_common_is_not_held_against_anything(tmp_path: Path) -> None:
    a = reaching(tmp_path / "a", 20, 20)
    wins = {"near": some(40, COUNT)}
    b = read_evaluation(write_evaluation(tmp_path / "b", wins, seed=2) / "evaluation")
    assert compare_variants({"a": a, "b": b}, {"b": "a"}) == []
