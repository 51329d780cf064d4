"""Numbers of things as a reader wants them."""


def plural(count: int, word: str, words: str | None = None) -> str:
    """`1 row`, `1,500 rows`; the plural itself where an s does not make it."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {words or word + 's'}"
