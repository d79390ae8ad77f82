"""Cuts what Python loads of the libraries to what the functions use: the recipe of the layer calls this with the folder
of the packages, before they are compiled. A client of boto3 is what it was, but it does not document itself at the
prompt, transfers no files of S3 and is no resource. To load all that was a fifth of a cold start. ValueError when a new
version of a library lacks such a place: then see what it loads instead."""

import ast
import shutil
import sys
from pathlib import Path

# What stands in the place of a module.
STAND_INS = {
    # boto3.compat asks of this class whether it has a setting that is newer than the class. The rest is S3's.
    "s3transfer/__init__.py": "",
    "s3transfer/manager.py": "class TransferConfig:\n    UNSET_DEFAULT = object()\n",
    # The descriptions of a client's methods, which are empty now.
    "botocore/docs/__init__.py": "",
    "botocore/docs/docstring.py": """
class _Empty(str):
    def __new__(cls, *_args, **_options):
        return super().__new__(cls)


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = _Empty
""",
    # What `boto3.resource` makes its classes with.
    "boto3/resources/factory.py": """
class ResourceFactory:
    def __init__(self, emitter):
        pass
""",
    # HTTP/2, which urllib3 speaks when it is told to. To ask whether it can, it loads the metadata of all packages.
    "urllib3/http2/__init__.py": "",
    # Moments that AWS writes as text. The services that are called here write numbers.
    "dateutil/parser/__init__.py": """
def parse(text, *args, **options):
    from dateutil.parser._parser import parse

    return parse(text, *args, **options)
""",
    # What checks the fields of attrs' own classes: cattrs has some, and checks none.
    "attr/validators.py": "",
    # The plug-ins of pydantic, which it looks for in the metadata of all packages.
    "pydantic/plugin/_loader.py": """
def get_plugins():
    return ()
""",
}
# What nothing loads any more, and what botocore looks for before it takes the standard library: OpenSSL by a library.
LEFT_OUT = ("boto3/data", "boto3/docs", "s3transfer", "urllib3/contrib/pyopenssl.py")
# botocore does something for each of a hundred operations of services that are not called here.
SERVICES = ("", "dynamodb", "eventbridge", "secrets-manager", "sesv2", "sqs")  # as its events name them; "" are all
OF_OURS = f"""
BUILTIN_HANDLERS = [
    each for each in BUILTIN_HANDLERS if each[0].partition('.')[2].partition('.')[0] in {SERVICES!r}
]
"""


def cut(packages: Path) -> None:
    for name in [*STAND_INS, *LEFT_OUT]:
        if not (packages / name).exists():
            raise ValueError(f"{name} is not there any more")
    for name in LEFT_OUT:
        _remove(packages / name)
    for name, text in STAND_INS.items():
        _write(packages / name, text)
    handlers, shapes = packages / "botocore/handlers.py", packages / "pydantic_core/core_schema.py"
    _write(handlers, handlers.read_text("utf-8") + OF_OURS)
    _write(shapes, without_typed_dicts(shapes.read_text("utf-8")))


def without_typed_dicts(source: str) -> str:
    """The source with plain dictionaries in place of those that only type checkers look into: pydantic_core describes
    its arguments with 80 of them, and Python makes a class of each."""
    tree, described = ast.parse(source), {"TypedDict"}
    for place, statement in enumerate(tree.body):
        if isinstance(statement, ast.ClassDef) and described.intersection(map(ast.unparse, statement.bases)):
            described.add(statement.name)
            tree.body[place] = ast.parse(f"{statement.name} = dict").body[0]
    return ast.unparse(tree)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    cut(Path(sys.argv[1]))
