"""Draw what the camera of kuka_reach_camera sees: a row a condition, the worlds that policies are judged in.

Of each world the first picture and, beside it, the one at the end of the expert's way.
"""

import io
from typing import TYPE_CHECKING

import numpy as np

from stages.core import cli, errors
from stages.core.conditions import conditions_of
from stages.core.episode import Plan
from stages.core.files import write_bytes
from stages.core.settings import Settings, load_settings
from stages.core.streams import stream
from stages.core.worlds import evaluation_plans
from stages.policies import POLICIES
from stages.tasks import TASKS
from stages.tasks.kuka.scene import IMAGE, Pixels
from stages.tasks.kuka_reach_camera import KukaReachCamera

if TYPE_CHECKING:
    from PIL.Image import Image

NAME = "kuka_reach_camera"
WORLDS = 5  # of each condition
_LARGER = 2  # times the camera's own pixels
_LABEL, _GAP, _QUALITY = 84, 4, 88  # [px] [px] of JPEG


def main() -> None:
    """Command line."""
    parser = cli.parser(__doc__)
    parser.add_argument("--output", type=cli.new_file(".jpg", ".jpeg"), required=True, help="the picture (.jpg)")
    arguments = parser.parse_args()
    settings = load_settings(arguments.params, TASKS, POLICIES)
    encoded = io.BytesIO()
    mosaic(rows(settings)).save(encoded, "JPEG", quality=_QUALITY, subsampling=0)
    write_bytes(arguments.output, encoded.getvalue())


def rows(settings: Settings) -> dict[str, list[Pixels]]:
    """The pictures of each condition, two a world."""
    limit = settings.max_steps("evaluate", NAME)
    seen: dict[str, list[Pixels]] = {}
    with KukaReachCamera() as task:
        conditions = conditions_of(settings, NAME, "evaluate")
        for plan in evaluation_plans(NAME, KukaReachCamera, settings, conditions, WORLDS):
            seen.setdefault(plan.condition, []).extend(first_and_last(task, plan, limit))
    return seen


def first_and_last(task: KukaReachCamera, plan: Plan, limit: int) -> tuple[Pixels, Pixels]:
    """What is seen at the start and at the end of the expert's way."""
    observation = task.reset(plan.world, stream(plan.seed, "reset"))
    first = task.picture
    for _ in range(limit):
        if task.outcome is not None:
            break
        observation = task.step(task.expert(observation[None])[0])
    return first, task.picture


def mosaic(seen: dict[str, list[Pixels]]) -> "Image":
    """All pictures, each row with its condition's name."""
    from PIL import Image, ImageDraw

    side = IMAGE * _LARGER
    width, height = _LABEL + max(map(len, seen.values())) * (side + _GAP), len(seen) * (side + _GAP)
    whole = Image.new("RGB", (width, height), "white")
    for row, (condition, pictures) in enumerate(seen.items()):
        ImageDraw.Draw(whole).text((4, row * (side + _GAP) + side // 2), condition, fill="black")
        for column, picture in enumerate(pictures):
            large = np.repeat(np.repeat(picture, _LARGER, axis=0), _LARGER, axis=1)
            whole.paste(Image.fromarray(large), (_LABEL + column * (side + _GAP), row * (side + _GAP)))
    return whole


if __name__ == "__main__":
    errors.run(main)
