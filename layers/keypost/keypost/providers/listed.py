"""Lists of objects that a provider's API gives in numbered pages."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from keypost.core.errors import ProviderRefused, ProviderUnavailable
from keypost.inputs.strict_json import LIST
from keypost.providers.call import Call


def pages(provider: str, call: Call, path: str, query: Mapping[str, str], size: int) -> Iterator[dict[str, Any]]:
    """The objects of all pages, page by page. A page that is not full is the last. ProviderUnavailable if there is no
    such list, or if it is none; the errors of `call.get` besides."""
    if call.get is None:
        raise ProviderRefused("api_key_missing", provider=provider)
    for page in count(1):
        answer = call.get(path, {**query, "per_page": str(size), "page": str(page)})
        found = (answer or {}).get(LIST)
        if not isinstance(found, list):
            raise ProviderUnavailable("provider_list_unreadable", provider=provider)
        yield from (each for each in found if isinstance(each, dict))
        if len(found) < size:
            return
