"""Records a demonstration by hand: PyBullet's window with a slider for each joint."""

import ctypes
import os
import sys
import time
from typing import Any

import numpy as np

from stages.core import cli
from stages.core.errors import UserError, run
from stages.core.recordings import write_recording
from stages.core.task import Floats
from stages.tasks.kuka.arm import connect, load_arm
from stages.tasks.kuka.dynamics import PHYSICS_STEP, Dynamics, Links
from stages.tasks.kuka.kinematics import JOINTS
from stages.tasks.kuka_joints import SLIDER, TORQUES, KukaJoints

# The window is asked once for so many physics steps (30 times a second): each question may wait for it to be drawn.
STEPS_A_LOOK = 8
CAMERA = {"cameraDistance": 2.0, "cameraYaw": 50, "cameraPitch": -25, "cameraTargetPosition": [0, 0, 0.5]}  # [m], [deg]
SUFFIXES = (".parquet", ".csv")


def main() -> None:
    """Open the window, record, save."""
    parser = cli.plain_parser(__doc__)
    parser.add_argument("task", choices=["kuka_joints"], help="what is demonstrated")
    where = "the recording, .parquet or .csv, e.g. data/recordings/kuka_joints/mine.parquet"
    parser.add_argument("--output", type=cli.new_file(*SUFFIXES), required=True, help=where)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long; the key q ends it earlier (%(default)s)")
    arguments = parser.parse_args()
    if not PHYSICS_STEP <= arguments.seconds < float("inf"):
        least = f"1/{1 / PHYSICS_STEP:g} (a physics step)"
        raise UserError(f"--seconds: found {arguments.seconds:g}, allowed: {least} or more, and finite")
    if arguments.output.exists():
        raise UserError(f"--output: found {arguments.output}, allowed: a new file, as no one shows the same twice")
    check_display()
    client = connect(gui=True)
    rows = record(client, round(arguments.seconds / PHYSICS_STEP))
    client.disconnect()
    write_recording(rows, KukaJoints.recorded, arguments.output)
    print(f"{arguments.output}: {len(rows)} rows, {len(rows) * PHYSICS_STEP:.1f} s")


def check_display() -> None:
    """UserError where no window can be opened: PyBullet would end the whole process, without a word on what to do."""
    if sys.platform != "linux":
        return
    try:
        open_display = ctypes.CDLL("libX11.so.6").XOpenDisplay
        ctypes.CDLL("libGL.so.1")
    except OSError as error:
        raise UserError(f"display: found {error}, needed: X11 and OpenGL (Debian: libx11-6, libgl1-mesa-dri)") from None
    open_display.restype = ctypes.c_void_p
    if not open_display(None):
        found = os.environ.get("DISPLAY") or "none"
        raise UserError(
            f"display: found {found}, which cannot be opened; needed: a desktop, or a virtual one: "
            "xvfb-run -s '-screen 0 1280x960x24' python -m stages.record …"
        )


def record(client: Any, steps: int) -> Floats:
    """Rows (T, R) of `KukaJoints.recorded`, one a physics step: at most `steps`, fewer when `q` is pressed."""
    body, sliders = _scene(client)
    # Bullet ends the process with its window, so what was recorded until then is lost.
    length = f"{steps * PHYSICS_STEP:g} s, or until the key q (closing the window discards it)"
    print(f"recording: move the sliders; {length}", flush=True)
    rows: list[Floats] = []
    begun = time.monotonic()
    while len(rows) < steps:
        targets = np.array([client.readUserDebugParameter(slider) for slider in sliders])
        client.setJointMotorControlArray(
            body, range(JOINTS), client.POSITION_CONTROL, targetPositions=targets.tolist(), forces=TORQUES
        )
        for _ in range(min(STEPS_A_LOOK, steps - len(rows))):
            # The state and the command given in it: what a policy is to learn.
            states = client.getJointStates(body, range(JOINTS))
            rows.append(np.concatenate([[state[0] for state in states], [state[1] for state in states], targets]))
            client.stepSimulation()
        if ord("q") in client.getKeyboardEvents():
            break
        time.sleep(max(0.0, begun + len(rows) * PHYSICS_STEP - time.monotonic()))
    return np.array(rows)


def _scene(client: Any) -> tuple[int, list[int]]:
    """The arm, upright, and its sliders; without PyBullet's side views and shortcut keys."""
    for part in (
        client.COV_ENABLE_RENDERING,  # drawing each part as it is loaded would take long
        client.COV_ENABLE_SHADOWS,
        client.COV_ENABLE_RGB_BUFFER_PREVIEW,
        client.COV_ENABLE_DEPTH_BUFFER_PREVIEW,
        client.COV_ENABLE_SEGMENTATION_MARK_PREVIEW,
        client.COV_ENABLE_KEYBOARD_SHORTCUTS,
    ):
        client.configureDebugVisualizer(part, 0)
    client.loadURDF("plane.urdf")
    body = load_arm(client)
    Links(client, body).set(Dynamics())
    sliders = [client.addUserDebugParameter(channel.name, -SLIDER, SLIDER, 0.0) for channel in KukaJoints.action]
    client.resetDebugVisualizerCamera(**CAMERA)
    client.configureDebugVisualizer(client.COV_ENABLE_RENDERING, 1)
    return body, sliders


if __name__ == "__main__":
    run(main)
