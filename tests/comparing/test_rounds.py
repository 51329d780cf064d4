"""The chain of a revision, as its params.yaml has it."""

from stages.comparing.rounds import read_chain


def test_the_tenth_round_comes_after_the_ninth() -> None:
    text = "tasks: [distance]\nrounds: [" + ", ".join(f"{{name: round_{n}}}" for n in (0, 10, 2, 1, 9)) + "]\n"
    chain = read_chain(text.encode(), "params.yaml")
    assert chain.rounds == ("round_0", "round_1", "round_2", "round_9", "round_10")
    assert chain.round(None) == "round_10"
