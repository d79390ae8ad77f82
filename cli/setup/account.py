"""What stands in the way in the account: looked at before anything is changed there."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from cli.doctor.checks import mend_of_status
from cli.doctor.facts import Identity
from cli.places import how_to_update
from cli.setup.answers import Answers
from cli.stacks import Found
from cli.versions import OWN, ranked
from keypost.core.said import Said, said

_DEPLOYABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


def number_of_account(session: Any) -> str:
    """The account that the credentials of the shell are of. The errors are botocore's."""
    return str(session.client("sts").get_caller_identity()["Account"])


def stack_there(session: Any, name: str) -> Found | None:
    """The stack of this name, whole or not; None if there is none."""
    try:
        stack = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":  # which is how CloudFormation says "not found"
            raise
        return None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    return Found(name, session, stack["StackStatus"], outputs, parameters)


def obstacles(answers: Answers, there: Found | None, identity: Identity | None) -> Iterator[tuple[Said, str]]:
    """What stands in the way, each with the command that removes it; that may be empty. `identity` is what SES knows of
    the mail domain that was answered."""
    if there is not None:
        yield from _of_stack(answers, there, may_send=identity is not None and identity.verified)
    wants_own = answers.parameters.get("MailIdentity", "own") == "own"
    if identity and wants_own and not _owns_identity(answers, there):
        yield said("domain_is_an_identity_already", domain=answers.parameters["MailDomain"]), ""


def _owns_identity(answers: Answers, there: Found | None) -> bool:
    if there is None or there.parameters.get("MailIdentity", "own") != "own":
        return False
    return there.parameters.get("MailDomain") == answers.parameters["MailDomain"]


def _of_stack(answers: Answers, there: Found, *, may_send: bool) -> Iterator[tuple[Said, str]]:
    wanted, stands = answers.parameters, there.parameters
    if there.status not in _DEPLOYABLE:
        yield (
            said("stack_is_not_whole", stack=there.name, status=there.status),
            mend_of_status(there.status, there.name),
        )
        return
    if stands.get("Stage", wanted["Stage"]) != wanted["Stage"]:
        yield said("stack_is_of_other_stage", stack=there.name, stage=stands["Stage"]), ""
    if stands.get("MailDomain", wanted["MailDomain"]) != wanted["MailDomain"] and not may_send:
        yield said("mail_domain_would_change", old=stands["MailDomain"], new=wanted["MailDomain"]), ""
    version = there.outputs.get("Version")
    if version and ranked(version) > ranked(OWN):
        yield said("stack_is_newer", own=OWN, stack=version), how_to_update()


def is_denied(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _DENIED
