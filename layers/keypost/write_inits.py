"""Writes keypost/core/frozen_inits.py into the layer: what makes the `__init__` of each frozen class, so that it is
compiled with the rest and not at each cold start. The recipe of the layer calls this with the folder of the packages. A
class whose module needs another library than LIBRARIES is compiled when it is made, as in a clone."""

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from unittest.mock import MagicMock

# What the table, the mails and the use cases are made with. To make their classes it need not be here.
LIBRARIES = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.metrics",
    "boto3.dynamodb.types",
    "botocore.config",
    "botocore.exceptions",
    "cattrs",
    "cattrs.gen",
    "jinja2",
    "markupsafe",
)


def write(packages: Path) -> None:
    sys.path.insert(0, str(packages))
    sys.modules |= {name: MagicMock() for library in LIBRARIES for name in (library.partition(".")[0], library)}
    frozen = import_module("keypost.core.frozen")
    for path in sorted((packages / "keypost").rglob("*.py")):
        with suppress(ModuleNotFoundError):
            import_module(".".join(path.relative_to(packages).with_suffix("").parts).removesuffix(".__init__"))
    made = "".join(f"\n\n{source}\n\nMAKERS[{source!r}] = maker\n" for source in sorted(frozen.MAKERS))
    (packages / "keypost/core/frozen_inits.py").write_text(f"MAKERS = {{}}\n{made}", "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
