"""What is known of a share of successes."""

from functools import cache

CONFIDENCE = 0.95  # of all intervals that are published
NORMAL = 1.959964  # the normal distribution is within so many standard deviations of its mean as often


@cache
def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The interval of a share (Wilson, JASA 22, 1927)."""
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)
