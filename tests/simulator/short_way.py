"""The clients of AWS's JSON services without what the SDK does to each call: it builds, checks and takes apart an HTTP
request, which takes longer than the emulator's answer. What the SDK decides stays its own: whether a call is tried
again and after how long, and which exception an error is. That requests are well formed is shown by all other tests."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.simulator.aws_here import Answer, AwsCall, Watch, emulated, response

_JSON = ("dynamodb", "sqs", "secretsmanager", "events")  # a request of theirs is its parameters, and an answer its body


def take_the_short_way(session: Any, watch: Watch) -> None:
    """For all clients that a boto3 session makes from now on."""

    def shortened(class_attributes: dict[str, Any], **_: Any) -> None:
        class_attributes["_make_api_call"] = _calls_of(watch)

    for service in _JSON:
        session.events.register(f"creating-client-class.{service}", shortened)


def _calls_of(watch: Watch) -> Callable[[Any, str, dict[str, Any]], Any]:
    def make_api_call(client: Any, operation: str, params: dict[str, Any]) -> Any:
        model = client.meta.service_model.operation_model(operation)
        named = {name: str(uuid.uuid4()) for name in model.idempotent_members}
        call = _call(client, model, named | params)
        context: dict[str, Any] = {}
        attempts, (answer, error) = 1, _tried(client, model, call, watch)
        while (error or answer[0].status_code >= 300) and client._endpoint._needs_retry(
            attempts, model, {"context": context}, answer, error
        ):
            attempts, (answer, error) = attempts + 1, _tried(client, model, call, watch)
        if error:
            raise error
        http, parsed = answer
        client.meta.events.emit(
            f"after-call.{call.service}.{operation}", http_response=http, parsed=parsed, model=model, context=context
        )
        if http.status_code >= 300:
            raise client.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation)
        return parsed

    return make_api_call


def _call(client: Any, model: Any, params: dict[str, Any]) -> AwsCall:
    target = f"{model.metadata['targetPrefix']}.{model.name}"
    service = client.meta.service_model.service_id.hyphenize()
    headers = {"x-amz-target": target, "content-type": f"application/x-amz-json-{model.metadata['jsonVersion']}"}
    return AwsCall(service, model.name, "/", headers, json.dumps(params, default=datetime.timestamp))


def _tried(client: Any, model: Any, call: AwsCall, watch: Watch) -> tuple[Any, Exception | None]:
    """One attempt: an HTTP answer with its content, or an error."""
    try:
        answered = watch(call) or emulated(call)
    except Exception as error:  # noqa: BLE001 - the SDK looks at each, too
        return None, error
    return (response("", *answered), _read(client, model, answered)), None


def _read(client: Any, model: Any, answer: Answer) -> dict[str, Any]:
    status, headers, content = answer
    if status < 300:
        read: dict[str, Any] = json.loads(content)
        return read | {"ResponseMetadata": {"HTTPStatusCode": status}}
    raw = content.encode() if isinstance(content, str) else content
    told = {"status_code": status, "headers": {name.lower(): value for name, value in headers.items()}, "body": raw}
    parser = client._endpoint._response_parser_factory.create_parser(model.service_model.resolved_protocol)
    parsed: dict[str, Any] = parser.parse(told, model.output_shape)
    client._endpoint._add_modeled_error_fields(told, parsed, model, parser)
    return parsed
