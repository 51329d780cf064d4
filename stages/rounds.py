"""Print `rounds` of params.yaml for COUNT rounds, as an override: `-S "rounds=$(python -m stages.rounds COUNT)"`."""

from msgspec.structs import asdict

from stages.core import cli, errors
from stages.core.params import round_entry


def main() -> None:
    """Command line."""
    parser = cli.plain_parser(__doc__)
    parser.add_argument("count", type=int, help="how many rounds, round_0 included")
    count = parser.parse_args().count
    if count < 1:
        raise errors.UserError(f"count: found {count}, allowed: at least 1")
    print(flow(count))


def flow(count: int) -> str:
    """The list on one line, in the syntax of an override."""
    entries = [asdict(round_entry(number)) for number in range(count)]
    return "[" + ",".join("{" + ",".join(f"{key}:{value}" for key, value in one.items()) + "}" for one in entries) + "]"


if __name__ == "__main__":
    errors.run(main)
