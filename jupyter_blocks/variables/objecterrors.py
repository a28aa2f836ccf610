"""What went wrong with object storage, in words: the bucket, the key, and what to do."""

from __future__ import annotations

import re

from obstore.exceptions import (
    AlreadyExistsError as ObjectExistsError,
)
from obstore.exceptions import (
    PermissionDeniedError,
    UnauthenticatedError,
)

from jupyter_blocks.errors import VariableError, VariableNotFoundError
from jupyter_blocks.variables.buckets import endpoint_of
from jupyter_blocks.variables.locations import Location
from jupyter_blocks.variables.storage import AlreadyExistsError

__all__ = ["explained", "is_conflict", "is_past_end"]

# Without other credentials both services' libraries ask a metadata server on the machine:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
# https://cloud.google.com/compute/docs/metadata/overview
_METADATA_SERVERS = ("169.254.169.254", "metadata.google.internal", "169.254.170.2")

_CREDENTIALS = {
    "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role "
    "is attached.",
    "gs": "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to "
    "the file of a service account.",
}
_PERMISSIONS = {
    "s3": "The credentials need s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket "
    "there.",
    "gs": "The account needs the role Storage Object User on the bucket.",
}


def explained(error: Exception, location: Location, key: str, verb: str) -> VariableError:
    """The error to raise for an exception of obstore; `verb` is what could not be done."""
    text = str(error).partition("\n\nDebug source")[0]
    where = f"'{key}' in the variable store {location}"
    if isinstance(error, ObjectExistsError):
        return AlreadyExistsError(f"There is an object {where} already.")
    if "NoSuchBucket" in text:
        return VariableError(
            f"{where} could not be {verb}: there is no bucket '{location.bucket}'.",
            hint="Create it, or correct `remote_variables_dir` in the project's metadata.yaml.",
        )
    if isinstance(error, FileNotFoundError):
        return VariableNotFoundError(f"There is no object {where}.")
    reason, hint = _reason(error, text, location)
    return VariableError(f"{where} could not be {verb}: {reason}.", hint=hint)


def _reason(error: Exception, text: str, location: Location) -> tuple[str, str]:
    if any(server in text for server in _METADATA_SERVERS):
        return "no credentials were found", _CREDENTIALS.get(location.scheme, "")
    if isinstance(error, UnauthenticatedError) or "InvalidAccessKeyId" in text:
        return "the credentials were refused", _CREDENTIALS.get(location.scheme, "")
    if "PermanentRedirect" in text or "AuthorizationHeaderMalformed" in text:
        return "the bucket is in another region", "Set AWS_REGION to the region of the bucket."
    if isinstance(error, PermissionDeniedError) or "403 Forbidden" in text:
        return "permission was denied", _PERMISSIONS.get(location.scheme, "")
    if re.search(r"429 Too Many|503 Service Unavailable|SlowDown", text):
        return "the service asks for fewer requests, even after several tries", "Run again later."
    if "error sending request" in text:
        service = endpoint_of(location) or "the service"
        variable = "STORAGE_EMULATOR_HOST" if location.scheme == "gs" else "AWS_ENDPOINT_URL"
        return f"{service} cannot be reached", f"Check the network, the proxy and {variable}."
    return _first_sentence(text), ""


def _first_sentence(text: str) -> str:
    code = re.search(r"<Code>(\w+)</Code>.*?<Message>(.*?)</Message>", text, re.DOTALL)
    if code:
        return f"{code[1]}: {code[2].rstrip('.')}"
    line = " ".join(text.split())
    return (line if len(line) <= 300 else f"{line[:297]}...").rstrip(".")


def is_past_end(error: Exception) -> bool:
    """Whether a range was refused because it begins at or after the end of the object.

    That is status 416 (https://www.rfc-editor.org/rfc/rfc9110#name-416-range-not-satisfiable).
    """
    text = str(error)
    return "416 " in text or "StartTooLarge" in text or "InvalidRange" in text


def is_conflict(error: Exception) -> bool:
    """Whether S3 saw two conditional writes at once, and wants one of them tried again.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    text = str(error)
    return "ConditionalRequestConflict" in text or "409 Conflict" in text
