"""`params.yaml` as types: what may be set, and what is wrong where it is set wrongly."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from stages.core.bounds import LARGEST, SMALLEST
from stages.core.documents import parse_yaml
from stages.core.errors import LONGEST_LINE, UserError, quoted
from stages.core.files import check_file
from stages.core.validation import MisfitError, fit

_MOST = 10**9  # episodes or steps: more is a slip of the pen, and memory would end first
# What is no number or infinite is within no bounds, and a whole number is never read from 1.0, "1" or true.
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=1, le=_MOST)]
Amount = Annotated[int, Meta(ge=0, le=_MOST)]
Number = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Positive = Annotated[float, Meta(gt=0, le=LARGEST)]
Divisor = Annotated[float, Meta(ge=SMALLEST, le=LARGEST)]
Level = Annotated[float, Meta(ge=0, le=LARGEST)]
Share = Annotated[float, Meta(ge=0, le=1)]
Source = Literal["expert", "person", "correction"]
# Patterns end in \Z: $ would let a line break follow.
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z")]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a file of settings: keys with values, no other keys."""


class RoundSettings(Section, frozen=True):
    """One round, and the two files its dataset is built from."""

    name: Annotated[str, Meta(pattern=r"^round_[0-9]+\Z")]
    rows: str
    more: str

    @property
    def number(self) -> int:
        """3 of `round_3`."""
        return int(self.name.removeprefix("round_"))


def round_entry(number: int) -> RoundSettings:
    """What `rounds` holds for that round: its dataset is the one before plus the corrections asked for there."""
    rows, more = "demonstrations/steps.parquet", "demonstrations/episodes.parquet"
    if number:
        rows, more = f"round_{number - 1}/dataset.parquet", f"round_{number - 1}/corrections.parquet"
    return RoundSettings(name=f"round_{number}", rows=rows, more=more)


class Range(Section, frozen=True):
    """The values a knob may take, both ends included."""

    low: Number
    high: Number

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low at most high")


Ranges = dict[str, Range]


class RandomizationSettings(Section, frozen=True):
    """Ranges of the knobs of a task, where its worlds are drawn for a purpose."""

    domain: dict[Name, Ranges] | None = None  # families of knobs, for domain randomization
    randomize: list[Name] | None = None  # the families that demonstrations and practice draw
    demonstrate: Ranges | None = None
    practice: Ranges | None = None
    common: Ranges | None = None  # of every condition that does not say otherwise
    evaluate: dict[Name, Ranges] | None = None

    def trained(self, purpose: Ranges) -> Ranges:
        """All ranges of demonstrations or of practice, which may say otherwise than a family."""
        families = [(self.domain or {})[family] for family in self.randomize or []]
        return {knob: span for spans in (*families, purpose) for knob, span in spans.items()}

    def conditions(self) -> dict[str, Ranges]:
        """All ranges of each condition."""
        return {name: {**(self.common or {}), **spans} for name, spans in (self.evaluate or {}).items()}


class ComputeSettings(Section, frozen=True):
    """How the work is done; no result depends on it."""

    jobs: Annotated[int, Meta(ge=-1, le=_MOST)] = -1
    backend: Literal["fork", "loky", "dask", "threading", "sequential"] = "fork"
    lockstep: Count = 16
    scheduler: Annotated[str, Meta(pattern=r"^(|(tcp|tls)://([^\s\[\]]+|\[\S+\]):[0-9]{1,5})\Z")] = ""


class DemonstrateSettings(Section, frozen=True):
    """What is shown: scripted episodes, recordings, or both."""

    episodes: Amount
    max_steps: Count
    recordings: list[str]


class NoiseSettings(Section, frozen=True):
    """Half widths of uniform noise, in the unit of each channel."""

    observation: Level | None = None
    action: Level | None = None
    demonstration: Level | None = None


class FeatureSettings(Section, frozen=True):
    """How a group of observed channels enters the distance between situations."""

    scale: Divisor
    squash: Literal["none", "asinh"] = "none"


class EmbeddingSettings(Section, frozen=True):
    """A map from many observed channels to few, fitted on the training rows; its channels are the group `embedded`."""

    sees: str  # the group that it looks at
    tells: str  # the group that it is fitted to, which is known in training alone
    components: Count  # principal components of what is seen
    near: Divisor  # rows count the less, the more what they teach exceeds this, in its unit


class PolicySettings(Section, frozen=True):
    """How the policy is cloned."""

    kind: str
    neighbors: Count
    weights: Literal["uniform", "distance"]
    features: Annotated[dict[str, FeatureSettings], Meta(min_length=1)]
    trust: dict[Source, Divisor] = {}  # in rows of a source; elsewhere 1
    embedding: EmbeddingSettings | None = None
    # Of kind mlp alone.
    hidden: Annotated[list[Count], Meta(min_length=1)] = field(default_factory=lambda: [128, 128])
    epochs: Count = 100


class TrainSettings(Section, frozen=True):
    """How the clone is judged before it acts."""

    folds: Annotated[int, Meta(ge=2, le=_MOST)]


class ShiftSettings(Section, frozen=True):
    """When the policy is out of its depth, and what it does then."""

    threshold: Positive | UnsetType | None = UNSET  # None: calibrate at the quantile
    quantile: Share | None = None
    response: Literal["act", "hold", "runaway", "ask"] | None = None

    @property
    def fixed(self) -> float | None:
        """The threshold, unless it is to be calibrated."""
        return None if self.threshold is UNSET else self.threshold


class EpisodesSettings(Section, frozen=True):
    """How many episodes, and how long they may take."""

    episodes: Count | None = None
    max_steps: Count | None = None


class CorrectSettings(Section, frozen=True):
    """Where and how the expert corrects, and how much of it."""

    gate: Literal["shift", "surprise", "either", "failure", "random", "all"]
    mode: Literal["label", "takeover", "mixed"]
    budget: Amount
    priority: Literal["none", "failures"] = "none"  # of episodes of practice, for the budget
    keep_failed: bool = True  # takeovers that end without success
    recordings: dict[Annotated[str, Meta(pattern=r"^round_[1-9][0-9]*\Z")], str] = {}


class Params(Section, frozen=True):
    """All of `params.yaml`. What a stage does not read may be absent, so that it runs with what it declares."""

    seed: Seed | None = None
    evaluation_seed: Seed | None = None
    tasks: Annotated[list[Name], Meta(min_length=1)] | None = None
    rounds: Annotated[list[RoundSettings], Meta(min_length=1)] | None = None
    compute: ComputeSettings = ComputeSettings()
    demonstrate: dict[Name, DemonstrateSettings] | None = None
    noise: dict[Name, NoiseSettings] | None = None
    policy: dict[Name, PolicySettings] | None = None
    train: dict[Name, TrainSettings] | None = None
    shift: dict[Name, ShiftSettings] | None = None
    randomization: dict[Name, RandomizationSettings] | None = None
    practice: dict[Name, EpisodesSettings] | None = None
    correct: dict[Name, CorrectSettings] | None = None
    evaluate: dict[Name, EpisodesSettings] | None = None


def read_params(path: Path) -> Params:
    """The parameters in the file at `path`; UserError with one line for everything in its form that is wrong."""
    check_file(path)
    try:
        return fit(parse_yaml(path.read_bytes(), path), Params)
    except MisfitError as error:
        raise wrong(path, error.lines) from None


def wrong(path: Path, problems: Iterable[str]) -> UserError:
    """The error that tells them all of that file, each on a line: names in it may hold line breaks."""
    return UserError("\nerror: ".join(quoted(f"{path}: {problem}", LONGEST_LINE) for problem in problems))
