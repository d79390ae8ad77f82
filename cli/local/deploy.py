"""Deploys the unmodified template.yaml: puts the code into S3, where CloudFormation expects it, and the S3 addresses
into the template, as `sam package` does."""

import json
import shutil
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli import revisions
from cli.places import ROOT
from keypost.core.errors import KeypostError

__all__ = ["ROOT", "deploy", "outputs_when_done"]

_BUCKET = "keypost-artifacts"
_SECONDS_TO_DEPLOY = 120


def deploy(session: Any, stack: str, parameters: dict[str, str], directory: Path, root: Path = ROOT) -> dict[str, str]:
    """Deploy the template under this name, or update that stack; returns the outputs. `root` has the template, the
    functions and the layers: this clone, or another version. KeypostError names the resources that failed."""
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 - a release comes without it, and with this module

    template = yaml_parse((root / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    s3 = session.client("s3")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # a second stack in this emulator
        s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    archives = {
        "functions/": _archive(root / "functions", directory / "functions.zip"),
        "layers/keypost/": _keypost_layer(directory, root),
        "layers/dependencies/": _empty_layer(directory, "dependencies"),
        "layers/tokens/": _empty_layer(directory, "tokens"),
    }
    revision = revisions.revision_of(parameters, [root / "functions", directory / "keypost"])
    parameters = {**parameters, revisions.NAME: revision}
    places = {}
    for source, archive in archives.items():  # under another key than before, or CloudFormation would see no change
        key = f"{revision}/{archive.name}"
        s3.upload_file(str(archive), _BUCKET, key)
        places[source] = f"s3://{_BUCKET}/{key}"
    template["Globals"]["Function"]["CodeUri"] = places[template["Globals"]["Function"]["CodeUri"]]
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = places[resource["Properties"]["ContentUri"]]
    for name, value in parameters.items():  # SAM decides by some of them, and the emulator shows it the defaults only
        template["Parameters"].get(name, {})["Default"] = value
    s3.put_object(Bucket=_BUCKET, Key=f"{stack}.json", Body=json.dumps(template).encode())  # too large for a request
    cloudformation = session.client("cloudformation")
    wanted = {
        "StackName": stack,
        "TemplateURL": f"{s3.meta.endpoint_url}/{_BUCKET}/{stack}.json",
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }
    try:
        cloudformation.create_stack(**wanted)
    except cloudformation.exceptions.AlreadyExistsException:
        cloudformation.update_stack(**wanted)
    outputs = outputs_when_done(cloudformation, stack)
    _put_gateway_responses(session.client("apigateway"), outputs["ApiId"], template["Resources"]["Api"]["Properties"])
    return outputs


def outputs_when_done(cloudformation: Any, name: str) -> dict[str, str]:
    """The outputs of a stack as soon as it is created or updated. KeypostError if that fails or takes too long."""
    deadline = time.monotonic() + _SECONDS_TO_DEPLOY
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(0.1)
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    why = [
        f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in events if "FAILED" in e["ResourceStatus"]
    ]
    raise KeypostError(f"template.yaml could not be deployed here: {'; '.join(why) or stack['StackStatus']}")


def _put_gateway_responses(apigateway: Any, api_id: str, api: dict[str, Any]) -> None:
    """Set the answers that API Gateway gives by itself, as in the template; the emulator does not do that."""
    for kind, response in api["GatewayResponses"].items():
        headers = response["ResponseParameters"]["Headers"]
        apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            **({"statusCode": str(response["StatusCode"])} if "StatusCode" in response else {}),
            responseParameters={f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            responseTemplates=response["ResponseTemplates"],
        )
    apigateway.create_deployment(restApiId=api_id, stageName=api["StageName"])


def _empty_layer(directory: Path, name: str) -> Path:
    """The archive of an empty layer. The emulator runs the functions in the interpreter of this command, which has
    the same versions that the layer's requirements.txt pins. `make build` makes the real layer."""
    marker = directory / name / "python/README"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text("The packages are those of the interpreter.\n")
    return _archive(marker.parents[1], directory / f"{name}.zip")


def _keypost_layer(directory: Path, root: Path) -> Path:
    artifacts = directory / "keypost"
    shutil.rmtree(artifacts, ignore_errors=True)
    options = [f"ARTIFACTS_DIR={artifacts}", f"TARGET={sys.executable}"]
    done = subprocess.run(
        ["make", "--silent", "-C", str(root / "layers/keypost"), "build-KeypostLayer", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise KeypostError(f"layers/keypost could not be built:\n{done.stderr}")
    return _archive(artifacts, directory / "keypost.zip")


def _archive(folder: Path, archive: Path) -> Path:
    """Zip a folder without compression, which would only cost time: the archive never leaves this machine."""
    unfinished = archive.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w") as target:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                target.write(path, path.relative_to(folder))
    unfinished.replace(archive)
    return archive
