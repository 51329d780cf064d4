"""The power of the gate as a table, a chart and a sentence."""

from collections.abc import Sequence

from stages.comparing.power import CAUGHT, Power, episodes_needed
from stages.reporting.drawing import BETWEEN, FIRST, INK, LAST, MUTED, chart

COLUMNS = (
    *("success", "correlation", "conditions", "episodes"),
    *("worsening", "failing", "failing_low", "failing_high"),
)
_SHOWN = {100: BETWEEN, 500: INK, 1000: FIRST, 2000: LAST}  # episodes -> colour of its curve


def csv(powers: Sequence[Power]) -> str:
    """One line a setting."""
    rows = [(*(getattr(one.setting, name) for name in COLUMNS[:5]), one.failing, one.low, one.high) for one in powers]
    return "\n".join([",".join(COLUMNS), *(",".join(f"{cell:.6g}" for cell in row) for row in rows)]) + "\n"


def svg(powers: Sequence[Power], success: float, correlation: float, conditions: int, margin: float) -> bytes:
    """The share of gates that fail over the true worsening, a curve a number of episodes."""
    with chart(5.2, 3.2) as drawn:
        axes = drawn.axes
        for episodes, colour in _SHOWN.items():
            wanted = (success, correlation, conditions, episodes)
            part = [one for one in powers if _key(one) == wanted]
            if part:
                worsening = [100 * one.setting.worsening for one in part]
                axes.plot(worsening, [100 * one.failing for one in part], "o-", color=colour, label=f"{episodes:,}")
        axes.axvline(100 * margin, color=MUTED, linewidth=1, linestyle="--")
        axes.axhline(100 * CAUGHT, color=MUTED, linewidth=1, linestyle="--")
        axes.set(title=f"One of {conditions} conditions made worse", ylim=(-4, 104))
        axes.set(xlabel="true worsening [points]", ylabel="gate fails [%]")
        axes.legend(title="episodes a condition", loc="upper left")
        return drawn.picture("How often the gate fails, over the true worsening.").content


def _key(one: Power) -> tuple[float, float, int, int]:
    setting = one.setting
    return setting.success, setting.correlation, setting.conditions, setting.episodes


def sentences(powers: Sequence[Power], margin: float, level: float) -> str:
    """How many episodes are needed, and how often the gate failed where nothing was made worse."""
    lines = []
    for (success, correlation, conditions), episodes in episodes_needed(powers, margin).items():
        among = "alone" if conditions == 1 else f"among {conditions} conditions"
        case = f"success {100 * success:g} %, correlation {correlation:g}, {among}"
        most = max(one.setting.episodes for one in powers)
        enough = f"more than {most:,} episodes" if episodes is None else f"{episodes:,} episodes"
        lines.append(f"{case}: {enough} to catch {100 * margin:g} points in {100 * CAUGHT:g} %")
    return "\n".join([*lines, _false_alarms(powers, level)])


def _false_alarms(powers: Sequence[Power], level: float) -> str:
    """How often the gate failed where nothing was made worse."""
    idle = [one for one in powers if one.setting.worsening == 0]
    mean, most = sum(one.failing for one in idle) / len(idle), max(idle, key=lambda one: one.failing)
    span = f"{100 * most.low:.2f} to {100 * most.high:.2f} %"
    return (
        f"nothing made worse: fails in {100 * mean:.2f} % on average over {len(idle)} settings, "
        f"at most {100 * most.failing:.2f} % ({span}); allowed: {100 * level:g} %"
    )
