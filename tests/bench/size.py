"""How much the layer of dependencies takes on Lambda's disk, as it is deployed."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.artifacts import layer_of_lambda, megabytes
from tests.bench.figures import Figure


def measure(say: Callable[[str], None]) -> list[Figure]:
    say("building the layer of dependencies for Lambda's processor")
    with tempfile.TemporaryDirectory() as folder:
        return [Figure("size/dependencies_layer", megabytes(layer_of_lambda(Path(folder))), "MB")]
