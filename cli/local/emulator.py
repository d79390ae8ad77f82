"""MiniStack, an AWS emulator, as a child process on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from keypost.core.errors import KeypostError

REGION = "eu-west-1"
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def emulator(directory: Path, ses_url: str | None = None) -> Iterator[str]:
    """Run MiniStack while the context lasts; yields its URL. If `ses_url` is given, its functions send mail there.

    It writes only into `directory`. KeypostError if it does not start."""
    port = free_port()
    log = directory / "emulator.log"
    with TemporaryDirectory(dir=directory, prefix="emulator-", ignore_cleanup_errors=True) as scratch:
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_REGION": REGION,
            # The functions inherit all of this, and Powertools' logger reads LOG_LEVEL, the emulator's own setting.
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "TMPDIR": scratch,
        }
        if ses_url:
            settings["AWS_ENDPOINT_URL_SESV2"] = ses_url
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env={**_clean_environment(), **settings},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(process, url, log)
            yield url
        finally:
            _stop(process)


def _clean_environment() -> dict[str, str]:
    """The environment without the variables that could connect the emulator or its functions to a real AWS account, or
    could change what the functions log and count."""
    foreign = ("AWS_", "KEYPOST_", "POWERTOOLS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise KeypostError(f"the AWS emulator stopped while it was starting; {log} has its last output")
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise KeypostError(f"the AWS emulator did not start within {_SECONDS_TO_START} s; see {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the emulator, and the functions that it runs, which are in its process group."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
