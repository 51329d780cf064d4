"""A person's recording is taken as it is, or refused with a reason."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from stages.core.digest import DIGEST
from stages.core.errors import UserError
from stages.core.recordings import read_recording
from stages.tasks.distance import Distance

COLUMNS = Distance.recorded
LAB = [(10, -2), (8, -1.5), (6.5, -1), (5.5, -1), (4.5, -0.5), (4, -0.5), (3.5, -0.5), (3, -0.5), (2.5, -0.5)]
LAB += [(2, -0.4), (1.6, -0.3), (1.3, -0.2), (1, -0.15), (0.8, -0.1), (0.5, -0.05)]
KINDS = ("csv", "parquet")


def write(table: pa.Table, path: Path) -> None:
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pq.write_table(table, path)


def test_the_labs_recording_is_the_labs(root: Path) -> None:
    recorded = read_recording(root / "data" / "recordings" / "distance" / "lab.csv", COLUMNS)
    assert recorded.tolist() == [list(pair) for pair in LAB]
    correction = read_recording(root / "data" / "recordings" / "distance" / "correction.csv", COLUMNS)
    assert correction.tolist() == [[11.5, -3.5]]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_come_back_to_the_bit_in_whatever_order_the_columns_are(kind: str, tmp_path: Path) -> None:
    distance, step = np.random.default_rng(0).normal(size=(2, 40))
    for names, values in ((["distance", "step"], [distance, step]), (["step", "distance"], [step, distance])):
        write(pa.table(values, names), tmp_path / f"r.{kind}")
        assert np.array_equal(read_recording(tmp_path / f"r.{kind}", COLUMNS), np.stack([distance, step], axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_whole_numbers_are_numbers(kind: str, tmp_path: Path) -> None:
    write(pa.table([[3, 2**53 + 2], [-1, 4]], ["distance", "step"]), tmp_path / f"r.{kind}")
    assert read_recording(tmp_path / f"r.{kind}", COLUMNS).tolist() == [[3, -1], [2**53 + 2, 4]]


BROKEN = {
    "missing column": ({"distance": [1.0]}, "found columns distance; allowed: exactly distance, step"),
    "extra column": (
        {"distance": [1.0], "step": [1.0], "speed": [1.0]},
        "found columns distance, step, speed; allowed: exactly distance, step",
    ),
    "text": ({"distance": [1.0], "step": ["fast"]}, "column step: found string, allowed: numbers"),
    "truth": ({"distance": [1.0], "step": [True]}, "column step: found bool, allowed: numbers"),
    "infinity": (
        {"distance": [1.0, 2.0], "step": [1.0, np.inf]},
        "column step, row 2: found inf, allowed: finite numbers",
    ),
    "empty cell": (
        {"distance": [1.0, 2.0, 3.0], "step": [1.0, None, 2.0]},
        "column step, row 2: found nan, allowed: finite numbers",
    ),
    "not a number": (
        {"distance": [1.0, np.nan, 3.0], "step": [1.0, 1.0, 2.0]},
        "column distance, row 2: found nan, allowed: finite numbers",
    ),
    "beyond all numbers": (
        {"distance": [1.0, 1e200], "step": [1.0, 1.0]},
        "column distance, row 2: found 1e+200, allowed: numbers below 1e+100",
    ),
    "no rows": ({"distance": pa.array([], pa.float64()), "step": pa.array([], pa.float64())}, "no rows"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_recording_is_told(case: str, kind: str, tmp_path: Path) -> None:
    values, message = BROKEN[case]
    path = tmp_path / f"r.{kind}"
    write(pa.table(values), path)
    with pytest.raises(UserError) as told:
        read_recording(path, COLUMNS)
    assert str(told.value).startswith(f"{path}: {message}")
    assert "\n" not in str(told.value)


DAMAGED = {
    "empty": b"",
    "blank": b"\n\n\n",
    "rows of other lengths": b"distance,step\n1,2\n3\n",
    "other separator": b"distance;step\n1;2\n",
    "no header": b"1,2\n3,4\n",
    "not text": b"\xff\xfe\x00\x81,\x9f\n1,2\n",
    "binary": bytes(range(256)),
    "column twice": b"distance,distance\n1,2\n",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", DAMAGED)
def test_bytes_that_are_no_table_are_told(case: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"r.{kind}"
    path.write_bytes(DAMAGED[case])
    with pytest.raises(UserError, match=f"^{path}: (cannot be read|found columns)") as told:
        read_recording(path, COLUMNS)
    assert "\n" not in str(told.value)


def test_a_truncated_parquet_recording_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    write(pa.table({"distance": [1.0] * 50, "step": [1.0] * 50}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=f"^{path}: cannot be read"):
        read_recording(path, COLUMNS)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("r.csv", "no such file"),
        ("/dev/null", "found a pipe or a device, allowed: a file"),
        ("r.txt", "found a file ending in .txt"),
        ("", "found a folder, allowed: a file"),
    ],
)
def test_a_file_that_is_not_there_or_of_another_kind_is_told(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "r.txt").touch()
    with pytest.raises(UserError, match=f"{name}: {message}"):
        read_recording(tmp_path / name, COLUMNS)


@pytest.mark.parametrize("kind", KINDS)
def test_words_of_a_recording_do_not_break_the_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"r.{kind}"
    write(pa.table({"a\nb": [1.0], "x" * 9000: [1.0]}), path)
    with pytest.raises(UserError) as told:
        read_recording(path, COLUMNS)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500


def test_a_parquet_recording_that_was_written_here_and_is_another_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    table = pa.table({"distance": [1.0, 2.0], "step": [1.0, 1.0]})
    pq.write_table(table.replace_schema_metadata({DIGEST: "0" * 64}), path)
    with pytest.raises(UserError, match=r"cannot be read \(its content is not what was written\)"):
        read_recording(path, COLUMNS)
