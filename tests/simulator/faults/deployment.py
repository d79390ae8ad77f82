"""A version of the product in this process: its modules, loaded from a tree, bound to the clock and the pauses of the
simulation. Several can be loaded side by side, so that two versions work on one table."""

import concurrent.futures
import functools
import importlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Self

import pytest
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from botocore.retries import quota as retries
from botocore.retries.quota import RetryQuota

from cli.local.deploy import ROOT
from tests.simulator.aws_here import ENVIRONMENT, Watch, answer_here
from tests.simulator.faults.command_line import Ended, run
from tests.simulator.faults.machine import only_here
from tests.simulator.short_way import take_the_short_way

TABLE, QUEUE, WISHES, SECRET = "simulated", "https://sqs.example/1/work", "https://sqs.example/1/wishes", "arn:secret"
EVENTS = "https://sqs.example/1/events_out"
_ENVIRONMENT = {
    **ENVIRONMENT,
    "KEYPOST_TABLE": TABLE,
    "KEYPOST_QUEUE_URL": QUEUE,
    "KEYPOST_WISHES_URL": WISHES,
    "KEYPOST_SECRETS": SECRET,
    "KEYPOST_TELLS_EVENTS": "on",
    "KEYPOST_EVENT_BUS": "simulated-events",
    "KEYPOST_EVENT_QUEUE_URL": EVENTS,
    "KEYPOST_EVENTS_URL": "https://shop.example/keypost",
    "LOG_LEVEL": "ERROR",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "LOGNAME": "operator",  # who uses the command line, and in which language
    "LC_ALL": "C.UTF-8",
}
# Values of the product that only cost time here: fifteen of sixteen shards would be empty.
_SMALLER = {"DUE_SHARDS": 1}
# What is built anew in a new execution environment; clients are kept, as it takes long to make them.
_BUILT_ANEW = ("config", "begin", "worker")
_WHOLE_QUOTA = 500


@dataclass(frozen=True, slots=True)
class Deployment:
    name: str
    modules: Mapping[str, ModuleType]
    kept: Sequence[tuple[Any, Any]]  # what modules keep in lists, sets and mappings, each with a copy of it when loaded
    quotas: Sequence[RetryQuota]  # how often each client may try again, until its calls succeed

    def handler(self, function: str) -> Callable[[dict[str, Any], Any], Any]:
        found: Callable[[dict[str, Any], Any], Any] = self.modules[function].handler
        return found

    def run_command(self) -> Ended:
        """Run the words of the terminal that is in use."""
        return run(self.modules["cli.main"], self.modules["keypost.core.errors"])

    def start_anew(self) -> None:
        """New execution environments, which know nothing yet."""
        for name in _BUILT_ANEW:
            getattr(self.modules["keypost.wiring"], name).cache_clear()
        for state, loaded in self.kept:
            state.clear()
            (state.extend if isinstance(state, list) else state.update)(loaded)
        for quota in self.quotas:
            quota.release(_WHOLE_QUOTA)
        wiring: Any = self.modules["keypost.wiring"]
        wiring.secrets()._fetched_at = -math.inf
        store = wiring.store()
        store._heard.clear()
        store._known_skus = frozenset()
        store._kept_hints.clear()

    @contextmanager
    def logging_to(self, stream: Any) -> Iterator[None]:
        """Python has one logger of a name in a process, so it is given back as it was."""
        logger = self.modules["keypost.telemetry"].logger
        handler, level = logger.registered_handler, logger.log_level
        before, handler.stream = handler.stream, stream
        logger.setLevel("INFO")
        try:
            yield
        finally:
            handler.stream = before
            logger.setLevel(level)

    def activate(self) -> None:
        """What is imported from now on, also late within a function, is of this version."""
        if sys.modules.get("keypost") is not self.modules["keypost"]:
            sys.modules.update(self.modules)


class RequestGlobals:
    """What Powertools keeps of a request in the process, which has only one request at a time on AWS: each invocation
    gets its own."""

    def __init__(self, deployment: Deployment) -> None:
        self._app = deployment.modules["keypost.api.app"].app
        self._kept: tuple[Any, Any, dict[str, Any]] = (None, None, {})

    def enter(self) -> None:
        BaseRouter.current_event, BaseRouter.lambda_context, context = self._kept
        self._app.context.clear()
        self._app.context.update(context)

    def leave(self) -> None:
        event, context = getattr(BaseRouter, "current_event", None), getattr(BaseRouter, "lambda_context", None)
        self._kept = event, context, dict(self._app.context)


@contextmanager
def own_modules() -> Iterator[None]:
    """Afterwards the modules of this process are those of before."""
    before, path = {name: module for name, module in sys.modules.items() if _is_ours(name)}, list(sys.path)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(before)
        sys.path[:] = path


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a deployment has in the place of the real world. Each call of AWS asks `watch` first; `counted` gets what is
    counted."""

    watch: Watch
    clock: Callable[[], float]
    pause: Callable[[float], None]
    counted: Callable[[str], None]
    outside: Any = None  # what stands for addresses outside of AWS
    pool: Any = None  # what stands for connections with the providers' APIs


def load(around: Surroundings, root: Path = ROOT) -> Deployment:
    """Load the functions, the package and the command line of a tree."""
    quotas = list[RetryQuota]()
    with own_modules(), pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.path[:0] = [str(root / "layers" / "keypost"), str(root / "functions"), str(root)]
        set_environment(patch)
        patch.delenv("AWS_LAMBDA_FUNCTION_NAME")  # where it is set, clients are built before they can be answered here
        patch.setattr(time, "sleep", only_here(around.pause, time.sleep))
        patch.setattr(time, "monotonic", only_here(around.clock, time.monotonic))
        patch.setattr(concurrent.futures, "ThreadPoolExecutor", _OneThread)
        patch.setattr(retries, "RetryQuota", partial(_kept_in, quotas))
        importlib.invalidate_caches()
        for name in _names(root):
            importlib.import_module(name)
        places: Any = importlib.import_module("cli.places")
        places.is_release = lambda: True  # without the local stack, which runs nowhere here
        importlib.import_module("cli.main")
        modules = {name: module for name, module in sys.modules.items() if _is_ours(name)}
        _build(modules, around)
    return Deployment(root.name, modules, [(each, each.copy()) for each in _states(modules)], quotas)


def _kept_in(quotas: list[RetryQuota]) -> RetryQuota:
    quotas.append(RetryQuota())
    return quotas[-1]


def _states(modules: Mapping[str, ModuleType]) -> Iterator[Any]:
    """What a warm environment could remember between invocations."""
    for module in modules.values():
        own = (value for name, value in vars(module).items() if not name.startswith("__"))
        yield from (value for value in own if type(value) in (dict, list, set))


def set_environment(patch: pytest.MonkeyPatch, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """That of a function."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "KEYPOST_"))]:
        patch.delenv(name)
    for name, value in {**_ENVIRONMENT, **more}.items():
        patch.setenv(name, value)


def _names(root: Path) -> Iterator[str]:
    """All modules of a tree, so that none is loaded late by another clock."""
    package = root / "layers" / "keypost"
    for path in sorted(package.glob("keypost/**/*.py")):
        yield ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((root / "functions").glob("*.py")):
        yield path.stem


def _build(modules: Mapping[str, ModuleType], around: Surroundings) -> None:
    wiring: Any = modules["keypost.wiring"]
    telemetry: Any = modules["keypost.telemetry"]
    telemetry.metrics.add_metric = lambda **what: around.counted(repr(what))
    telemetry.at_door = lambda *what, **more: around.counted(repr((what, more)))
    answer_here(wiring.session(), around.watch)
    take_the_short_way(wiring.session(), around.watch)
    wiring.outside = lambda: around.outside
    stacks: Any = modules["cli.stacks"]
    stacks.session_here = lambda _region: wiring.session()
    wiring._pool = lambda: around.pool
    for name, smaller in _SMALLER.items():
        for module in modules.values():
            if hasattr(module, name):
                setattr(module, name, smaller)
    for build in (wiring.config, wiring.store, wiring.queue, wiring.wishes, wiring.desk, wiring.mailer):
        build()


@functools.cache
def _functions() -> frozenset[str]:
    return frozenset(path.stem for path in (ROOT / "functions").glob("*.py"))


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("keypost", "cli") or name in _functions()


class _OneThread:
    """Does one thing after another what the product does in several threads."""

    def __init__(self, _threads: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, act: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
        return [act(value) for value in values]
