"""A remote on a real server of this machine: push, clone, pull, and the clone's status is clean, its content whole.

The servers are no part of the product: each is installed into an environment of its own, which ends with the script.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import socket
import subprocess
import sys
import time

from tests.chain import outputs
from tests.endurance.outcomes import write_outcomes
from tests.endurance.workspaces import committed_run

PACKAGES = {"webdav": ("dvc-webdav", "wsgidav", "cheroot"), "s3": ("dvc-s3", "moto[server]"), "ssh": ("dvc-ssh",)}
CHAIN = {"tasks": ["distance"], "evaluate.distance.episodes": 30}
SECRET = "endurance"  # of a server that only this machine sees, for as long as the script runs


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _do(environment: Path, folder: Path, *command: str) -> str:
    """What a command prints, with the environment's tools first on the path."""
    known = {**os.environ, "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    known |= {"AWS_ACCESS_KEY_ID": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


@contextmanager
def _server(command: list[str], folder: Path, port: int) -> Iterator[None]:
    with (folder / "server.txt").open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as server:
        try:
            for _ in range(300):
                with socket.socket() as asked:
                    if asked.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield
        finally:
            server.terminate()


@contextmanager
def _webdav(environment: Path, folder: Path) -> Iterator[list[list[str]]]:
    port, kept = _free_port(), folder / "kept"
    kept.mkdir()
    command = [str(environment / "bin/wsgidav"), "--host", "127.0.0.1", "--port", str(port), "--root", str(kept)]
    with _server([*command, "--auth", "anonymous"], folder, port):
        yield [["remote", "add", "--default", "team", f"webdav://127.0.0.1:{port}/"]]


@contextmanager
def _s3(environment: Path, folder: Path) -> Iterator[list[list[str]]]:
    port = _free_port()
    with _server(
        [str(environment / "bin/python"), "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)], folder, port
    ):
        address = f"http://127.0.0.1:{port}"
        made = f"import boto3; boto3.client('s3', endpoint_url={address!r}).create_bucket(Bucket='team')"
        _do(environment, folder, "python", "-c", made)
        yield [
            ["remote", "add", "--default", "team", "s3://team/data"],
            ["remote", "modify", "team", "endpointurl", address],
        ]


@contextmanager
def _ssh(environment: Path, folder: Path) -> Iterator[list[list[str]]]:
    """Debian's sshd, with keys of its own, for the user who runs this."""
    port, key, host = _free_port(), folder / "key", folder / "host"
    for path in (key, host):
        _do(environment, folder, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": host,
        "AuthorizedKeysFile": f"{key}.pub",
        "StrictModes": "no",
        "UsePAM": "no",
        "PidFile": "none",
        "Subsystem": "sftp internal-sftp",
    }
    (folder / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd keeps what it separates
    with _server([_sshd() or "", "-D", "-e", "-f", str(folder / "sshd_config")], folder, port):
        user = _do(environment, folder, "id", "-un").strip()
        (folder / "kept").mkdir()
        yield [
            ["remote", "add", "--default", "team", f"ssh://{user}@127.0.0.1:{port}{folder / 'kept'}"],
            ["remote", "modify", "--local", "team", "keyfile", str(key)],
        ]


def _sshd() -> str | None:
    return shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


SERVERS = {"webdav": _webdav, "s3": _s3, "ssh": _ssh}


def _share(kind: str, origin: Path, folder: Path) -> dict[str, object]:
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", str(environment)], check=True)
    # The packages of the product, which this environment sees, and on top of them the server's.
    own = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    found = next(environment.glob("lib/python*/site-packages"))
    (found / "product.pth").write_text(f"{own}\n")
    _do(environment, folder, "python", "-m", "pip", "install", "-q", *PACKAGES[kind])
    tool = [str(environment / "bin/python"), "-m", "dvc"]
    with SERVERS[kind](environment, folder) as settings:
        _do(environment, folder, "git", "clone", "-q", str(origin), "pusher")
        pusher = folder / "pusher"
        for one in settings:
            _do(environment, pusher, *tool, *one)
        _do(environment, pusher, *tool, "cache", "dir", "--local", str(origin / ".dvc/cache"))
        pushed = _do(environment, pusher, *tool, "push")
        _do(
            environment,
            pusher,
            "git",
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@localhost",
            "commit",
            "-qam",
            "Team remote",
        )
        _do(environment, folder, "git", "clone", "-q", str(pusher), "clone")
        clone = folder / "clone"
        for one in settings:
            if "--local" in one:  # what is a user's own is not in git
                _do(environment, clone, *tool, *one)
        pulled = _do(environment, clone, *tool, "pull")
        status = _do(environment, clone, *tool, "status")
        verified = _do(environment, clone, str(environment / "bin/python"), "-m", "stages.verify")
    clean = "up to date" in status and "all are whole" in verified and outputs(clone) == outputs(origin)
    print(kind, pushed.splitlines()[-1], pulled.splitlines()[-1], status.strip(), verified.strip(), flush=True)
    return {"remote": kind, "tried": len(outputs(origin)), "different": 0 if clean else len(outputs(origin))}


def main() -> None:
    """Share by each kind of server."""
    rows = []
    if _sshd() is None:
        sys.exit("found no sshd on this machine, needed to share through one (Debian's package openssh-server)")
    with committed_run(CHAIN) as origin:
        for kind in SERVERS:
            folder = origin.parent / kind
            folder.mkdir()
            rows.append(_share(kind, origin, folder))
    write_outcomes("sharing", rows)
