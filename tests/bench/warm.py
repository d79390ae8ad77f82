"""How many instructions a delivered licence costs, from callback to mail, once everything is built: those of the real
handlers, as a ratio to those of bare boto3 which makes the same calls with the same payloads.

The handlers serve some purchases on the emulator, and every call and its answer is recorded (recorded.py). Then they
serve them again, under Valgrind and on what is deployed, while a stub in another process gives the recorded answers;
and so does bare boto3. What is built in a first call is no part of it: one purchase goes before those that count, and
a run of that alone is subtracted.

What a licence cost before, on commit 983a2bf, is measured on any machine by the calls that it made then: before.json.gz
has one licence's. It cost COST_BEFORE times what these calls cost bare boto3 here and now."""

import gzip
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.artifacts import Artifacts, built
from tests.bench.figures import Figure
from tests.bench.recorded import recorded
from tests.bench.stub import stub

HERE = Path(__file__).parent
COST_BEFORE = 1.948  # of a licence on commit 983a2bf: 198.8 million instructions, and 102.0 of bare boto3 (Python 3.13)
_PURCHASES = 12  # that count: enough for what happens now and then, such as looking for garbage
_AT_ONCE = 2
_COUNTER = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
Recording = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Measured:
    name: str
    program: str
    recording: Recording
    path: list[str]  # where it finds its modules


def measure(say: Callable[[str], None]) -> list[Figure]:
    say("recording purchases on the emulator")
    now, before = recorded(_PURCHASES + 1), recording_before()
    say(f"a licence takes {len(calls_of(now, 1))} calls; it took {len(calls_of(before, 1))}")
    with built() as artifacts, ThreadPoolExecutor(_AT_ONCE) as threads:
        programs = [
            _Measured("Keypost", "serve_again.py", now, artifacts.path),
            _Measured("bare boto3", "call_again.py", now, [str(artifacts.stock)]),
            _Measured("bare boto3 with the calls of before", "call_again.py", before, [str(artifacts.stock)]),
        ]
        runs = [(each, count) for each in programs for count in (_PURCHASES, 0)]
        counts = list(threads.map(lambda run: _instructions(artifacts, say, *run), runs))
    ours, bare, bare_before = ((many - none) / _PURCHASES for many, none in zip(counts[::2], counts[1::2], strict=True))
    return [
        Figure("warm/over_bare_boto3", ours / bare, "ratio"),
        Figure("warm/over_before", ours / (COST_BEFORE * bare_before), "ratio"),
    ]


def recording_before() -> Recording:
    """As many purchases as are measured, each with the calls of the one that is kept."""
    kept: dict[str, Any] = json.loads(gzip.decompress((HERE / "before.json.gz").read_bytes()))
    calls = [{**call, "purchase": number} for number in range(_PURCHASES + 1) for call in kept["calls"]]
    return {**kept, "calls": calls}


def calls_of(recording: Recording, number: int) -> list[Any]:
    return [call for call in recording["calls"] if call["purchase"] == number]


def _instructions(artifacts: Artifacts, say: Callable[[str], None], measured: _Measured, count: int) -> int:
    """Of a new process that serves one purchase and so many more. RuntimeError if it fails, or if Valgrind is missing;
    Strayed if it made other calls than the recorded ones."""
    calls = [call for call in measured.recording["calls"] if call["purchase"] <= count]
    with tempfile.TemporaryDirectory() as folder, stub(calls) as url:
        recording = Path(folder) / "recording.json"
        recording.write_text(json.dumps(measured.recording))
        done = subprocess.run(
            [*_COUNTER, artifacts.python, "-S", "-s", "-P", HERE / measured.program, recording, str(count)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=_environment(measured, url),
        )
        if done.returncode:
            raise RuntimeError(f"{measured.name}\n{done.stdout}\n{done.stderr}")
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if counted is None:
        raise RuntimeError(done.stderr)
    found = int(counted[1].replace(",", ""))
    say(f"{measured.name}, {count + 1} purchases: {found:,} instructions")
    return found


def _environment(measured: _Measured, url: str) -> dict[str, str]:
    fixed = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(measured.path)}
    return {**measured.recording["environment"], **fixed, "AWS_ENDPOINT_URL": url, "PATH": os.environ["PATH"]}
