"""API Gateway in this process: what it makes of a request for a function, and of the function's answer."""

import base64
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tests.functions.support_calls import Context, authorizer

HOST = "https://keypost.example"


@dataclass(frozen=True)
class Door:
    """What stands behind a route."""

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    authorization: str = ""  # the header without which API Gateway refuses the request itself


Routes = Mapping[tuple[str, str], Door]  # by method and path


def gateway_session(template: Mapping[str, Any], routes: Routes) -> requests.Session:
    """Whatever is sent to HOST in this session is answered by these routes."""
    session = requests.Session()
    session.mount("https://", _Gateway(template["Resources"]["Api"]["Properties"]["GatewayResponses"], routes))
    return session


class _Gateway(HTTPAdapter):
    """What has no key, and what no route is for, it refuses itself, with what template.yaml says for that."""

    def __init__(self, refusals: dict[str, Any], routes: Routes) -> None:
        super().__init__()
        self._refusals, self._routes = refusals, routes

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        answer = self._answer(request)
        several = answer.get("multiValueHeaders") or {name: [value] for name, value in answer["headers"].items()}
        headers = urllib3.HTTPHeaderDict((name, value) for name, values in several.items() for value in values)
        body, status = io.BytesIO(answer["body"].encode()), answer["statusCode"]
        return self.build_response(request, urllib3.HTTPResponse(body, headers, status, 11, preload_content=False))

    def _answer(self, request: requests.PreparedRequest) -> dict[str, Any]:
        parts = urlsplit(str(request.url))
        method, path, found = next(self._matches(str(request.method), parts.path), ("", "", None))
        if found is None:
            return self._refused("MISSING_AUTHENTICATION_TOKEN")
        door = self._routes[method, path]
        if door.authorization and request.headers.get("Authorization") != door.authorization:
            return self._refused("UNAUTHORIZED")
        return door.handler(_event(request, path, found, parts.query), Context())

    def _matches(self, method: str, path: str) -> Iterator[tuple[str, str, re.Match[str]]]:
        """The routes that a path may mean, those first that say most of it."""
        for of, template in sorted(self._routes, key=lambda route: route[1].count("{")):
            found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template), path)
            if of == method and found:
                yield of, template, found

    def _refused(self, name: str) -> dict[str, Any]:
        said = self._refusals[name]
        headers = {name: [value.strip("'")] for name, value in said["ResponseParameters"]["Headers"].items()}
        body = said["ResponseTemplates"]["application/json"]
        return {"statusCode": said["StatusCode"], "multiValueHeaders": headers, "body": body}


def _event(request: requests.PreparedRequest, route: str, found: re.Match[str], query: str) -> dict[str, Any]:
    path, values = found.string, parse_qs(query, keep_blank_values=True)
    body: Any = request.body or b""
    sent = body.encode() if isinstance(body, str) else bytes(body)
    is_binary = str(request.headers.get("Content-Type")).startswith("text/csv")  # as template.yaml says
    return {
        "resource": route,
        "path": path,
        "httpMethod": request.method,
        "headers": dict(request.headers),
        "multiValueHeaders": {name: [value] for name, value in request.headers.items()},
        "queryStringParameters": {name: several[-1] for name, several in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
        "pathParameters": {name: unquote(value) for name, value in found.groupdict().items()} or None,
        "requestContext": {
            "requestId": "request-1",
            "path": f"/v1{path}",
            "authorizer": authorizer(),
            "identity": {"sourceIp": "192.0.2.7"},
        },
        "body": base64.b64encode(sent).decode() if is_binary else sent.decode("utf-8", "replace") or None,
        "isBase64Encoded": is_binary,
    }
