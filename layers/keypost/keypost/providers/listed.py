"""Lists of objects that a provider's API gives in numbered pages."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from keypost.core.errors import ProviderRefused, ProviderUnavailable
from keypost.inputs.strict_json import LIST
from keypost.providers.call import Call

_TOO_LARGE = "provider_answer_too_large"


def pages(provider: str, call: Call, path: str, query: Mapping[str, str], size: int) -> Iterator[dict[str, Any]]:
    """The objects of all pages, page by page. A page that is not full is the last. An object that is too large to be
    read is an empty one. ProviderUnavailable if there is no such list, or if it is none; the errors of `call.get`
    besides."""
    for page in count(1):
        found = _page(provider, call, path, query, size, page)
        yield from (each for each in found if isinstance(each, dict))
        if len(found) < size:
            return


def _page(provider: str, call: Call, path: str, query: Mapping[str, str], size: int, page: int) -> list[Any]:
    """The objects of a page. Those of one that is too large are asked for one by one."""
    if call.get is None:
        raise ProviderRefused("api_key_missing", provider=provider)
    try:
        answer = call.get(path, {**query, "per_page": str(size), "page": str(page)})
    except ProviderUnavailable as error:
        if error.said.code != _TOO_LARGE:
            raise
        return [{}] if size == 1 else _one_by_one(provider, call, path, query, range((page - 1) * size, page * size))
    found = (answer or {}).get(LIST)
    if not isinstance(found, list):
        raise ProviderUnavailable("provider_list_unreadable", provider=provider)
    return found


def _one_by_one(provider: str, call: Call, path: str, query: Mapping[str, str], places: range) -> list[Any]:
    found: list[Any] = []
    for place in places:
        one = _page(provider, call, path, query, 1, place + 1)
        if not one:
            break
        found += one
    return found
