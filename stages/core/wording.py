"""What stages say of what they made: numbers of things, and what became of episodes."""

from collections.abc import Sequence

from stages.core.episode import Episode


def plural(count: int, word: str, words: str | None = None) -> str:
    """`1 row`, `1,500 rows`; the plural itself where an s does not make it."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {words or word + 's'}"


def succeeded(episodes: Sequence[Episode]) -> str:
    """How many did, condition by condition: `shown 100 %, far 13 %`."""
    told = []
    for condition in dict.fromkeys(one.plan.condition for one in episodes):
        wins = [one.outcome == "success" for one in episodes if one.plan.condition == condition]
        told.append(f"{condition} {100 * sum(wins) / len(wins):.3g} %")
    return ", ".join(told)
