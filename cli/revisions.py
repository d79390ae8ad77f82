"""What tells one deploy from another: the parameter Revision of the template. SAM does not see that a parameter has
changed, so without it a new setting would not reach the functions."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

NAME = "Revision"
OF_NO_FUNCTION = {NAME, "TableProtection"}  # `setup` deploys a live stack twice, and only the table differs
_LENGTH = 40  # of which SAM puts the first ten into the name of each function's version


def revision_of(parameters: Mapping[str, str], built: Iterable[Path]) -> str:
    """The digest of the parameters that functions have, and of every file in these folders."""
    others = {name: value for name, value in parameters.items() if name not in OF_NO_FUNCTION}
    digest = hashlib.sha256(json.dumps(others, sort_keys=True).encode())
    for folder in built:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            digest.update(f"\n{path.relative_to(folder).as_posix()}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_LENGTH]
