"""Figures and tables that were damaged are noticed, though their formats notice nothing."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.core.errors import UserError
from stages.core.files import write_json, write_text
from stages.core.seal import check_sums, read_sealed, sealed, write_sums

FIGURES = {"threshold": 0.1 + 0.2, "rows": 7, "cross_validation": {"error": None, "neighbors": {"1": 1e-17}}}


def test_sealed_figures_come_back_as_they_were(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", sealed(FIGURES))
    assert read_sealed(tmp_path / "x.json") == FIGURES


def test_a_flipped_bit_of_figures_is_noticed_or_harmless(tmp_path: Path) -> None:
    path, rng = tmp_path / "x.json", np.random.default_rng(0)
    write_json(path, sealed(FIGURES))
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            assert read_sealed(path) == FIGURES, place
        except UserError as told:
            assert str(told).startswith(f"{path}: not whole")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "1", '{"digest": 1}', "[" * 100_000, b"\xff\xfe"])
def test_what_is_not_sealed_is_told(text: str | bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match="not whole"):
        read_sealed(tmp_path / "x.json")
    with pytest.raises(UserError, match="no such file"):
        read_sealed(tmp_path / "y.json")


def test_sums_tell_which_file_is_another(tmp_path: Path) -> None:
    folder, beside = tmp_path / "plots", tmp_path / "results.csv"
    write_text(folder / "a.csv", "1\n")
    write_text(folder / "b.csv", "2\n")
    write_json(beside, {})
    write_sums(folder, [beside])
    check_sums(folder, [beside])
    for path in (beside, folder / "a.csv", folder / "b.csv"):
        kept = path.read_bytes()
        path.write_bytes(b"3\n")
        with pytest.raises(UserError, match=f"^{path}: not what was written"):
            check_sums(folder, [beside])
        path.write_bytes(kept)
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(UserError, match="SHA256SUMS: no such file"):
        check_sums(folder, [beside])


def test_the_seal_is_part_of_the_file_and_its_figures_stay_plain(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", sealed(FIGURES))
    found = json.loads((tmp_path / "x.json").read_text())
    assert {key: found[key] for key in FIGURES} == FIGURES
