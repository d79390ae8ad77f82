"""Writes keypost/core/frozen_inits.py into the layer: what makes the `__init__` of each frozen class, so that it is
compiled with the rest and not at each cold start. The recipe of the layer calls this with the folder of the packages. A
class whose module needs a library that is missing here is compiled when it is made, as in a clone."""

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path


def write(packages: Path) -> None:
    sys.path.insert(0, str(packages))
    frozen = import_module("keypost.core.frozen")
    for path in sorted((packages / "keypost").rglob("*.py")):
        with suppress(ModuleNotFoundError):
            import_module(".".join(path.relative_to(packages).with_suffix("").parts).removesuffix(".__init__"))
    made = "".join(f"\n\n{source}\n\nMAKERS[{source!r}] = maker\n" for source in sorted(frozen.MAKERS))
    (packages / "keypost/core/frozen_inits.py").write_text(f"MAKERS = {{}}\n{made}", "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
