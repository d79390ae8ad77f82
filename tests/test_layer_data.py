"""Botocore's data in the layer: cut to what the functions call, and right in every region."""

import ast
import gzip
import json
import re
import shutil
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore import xform_name
from botocore.regions import EndpointResolver

from cli.local.deploy import ROOT

DATA = Path(botocore.__file__).parent / "data"
_SPEC = spec_from_file_location("cut_data", ROOT / "layers/dependencies/cut_data.py")
assert _SPEC
assert _SPEC.loader
cut_data = module_from_spec(_SPEC)
_SPEC.loader.exec_module(cut_data)
SERVICES = sorted(cut_data.OPERATIONS)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the layer."""
    data = tmp_path_factory.mktemp("data")
    for file in DATA.glob("*.json"):
        shutil.copy(file, data)
    for service in (*SERVICES, "sns"):
        shutil.copytree(DATA / service, data / service)
    cut_data.cut(data)
    return data


def session(data: Path) -> Any:
    made = botocore.session.Session()
    made.get_component("data_loader")._search_paths[:] = [str(data)]
    made.set_credentials("id", "key")
    return made


def described(service: str) -> Any:
    return json.loads(gzip.decompress((newest(DATA / service) / "service-2.json.gz").read_bytes()))


def newest(service: Path) -> Path:
    return max(file.parent for file in service.glob("*/service-2.json*"))


def names_in_code() -> set[str]:
    """Every name after a dot, and every text, in what is deployed."""
    sources = [*(ROOT / "layers/keypost/keypost").rglob("*.py"), *(ROOT / "functions").glob("*.py")]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source.read_text("utf-8")))]
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return names | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_the_layer_has_every_operation_that_the_code_calls_and_no_other() -> None:
    names = names_in_code()

    called = {
        service: tuple(sorted(name for name in described(service)["operations"] if xform_name(name) in names))
        for service in SERVICES
    }
    assert called == {service: tuple(sorted(names)) for service, names in cut_data.OPERATIONS.items()}


def test_the_layer_has_every_error_that_the_code_catches_by_its_class(cut: Path) -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "layers/keypost/keypost").rglob("*.py"))
    caught = set(re.findall(r"_client\.exceptions\.(\w+)", sources))
    clients = [session(cut).create_client(service, "eu-west-1") for service in SERVICES]

    assert "TransactionCanceledException" in caught
    assert {name for name in caught if not any(name in dir(client.exceptions) for client in clients)} == set()


def regions() -> Iterator[str]:
    for partition in json.loads((DATA / "endpoints.json").read_bytes())["partitions"]:
        yield from partition["regions"]


def test_a_client_finds_the_same_host_with_the_cut_data_as_with_all_of_it_in_every_region(cut: Path) -> None:
    places = [*regions(), "eu-west-9", "nowhere"]  # a region that is newer than the data, and one that is none
    whole, small = (EndpointResolver(json.loads((data / "endpoints.json").read_bytes())) for data in (DATA, cut))

    assert {"eu-central-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"} <= set(places)
    for name in [*SERVICES, "email"]:
        found = [[resolver.construct_endpoint(name, place) for place in places] for resolver in (whole, small)]
        assert found[0] == found[1]
    for service in SERVICES:
        rules = newest(DATA / service) / "endpoint-rule-set-1.json.gz"
        cut_rules = newest(cut / service) / "endpoint-rule-set-1.json"
        assert json.loads(cut_rules.read_bytes()) == json.loads(gzip.decompress(rules.read_bytes()))


def test_an_operation_is_described_as_in_all_of_the_data_but_for_prose(cut: Path) -> None:
    sessions = [session(DATA), session(cut)]

    for service, operations in cut_data.OPERATIONS.items():
        models = [each.create_client(service, "eu-west-1").meta.service_model for each in sessions]
        for name in operations:
            whole_operation, small_operation = (model.operation_model(name) for model in models)
            assert shape(whole_operation.input_shape) == shape(small_operation.input_shape)
            assert shape(whole_operation.output_shape) == shape(small_operation.output_shape)


def shape(of: Any, above: tuple[str, ...] = ()) -> Any:
    if of is None or of.name in above:
        return of and of.name
    inner = {name: shape(each, (*above, of.name)) for name, each in getattr(of, "members", {}).items()}
    parts = [shape(getattr(of, part), (*above, of.name)) for part in ("member", "key", "value") if hasattr(of, part)]
    return [of.name, of.type_name, of.serialization, of.metadata, inner, parts]


def test_an_operation_comes_in_the_same_pages_as_with_all_of_the_data(cut: Path) -> None:
    whole, small = (session(data).create_client("dynamodb", "eu-west-1") for data in (DATA, cut))

    in_pages = [name for name in ("get_item", "query") if whole.can_paginate(name)]
    assert in_pages == ["query"]
    assert [name for name in ("get_item", "query") if small.can_paginate(name)] == in_pages
    assert (
        vars(small.get_paginator("query"))["_pagination_cfg"] == vars(whole.get_paginator("query"))["_pagination_cfg"]
    )


def test_other_services_and_prose_are_gone(cut: Path) -> None:
    assert sorted(path.name for path in cut.iterdir() if path.is_dir()) == SERVICES
    assert "<p>" in json.dumps(described("sqs"))
    assert not any("<p>" in path.read_text("utf-8") for path in cut.glob("*/*/*.json"))
