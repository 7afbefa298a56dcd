"""Refusals of the login host: Entra's numbers and error bodies."""

from __future__ import annotations

import uuid

from starlette.responses import JSONResponse, Response

from local.m365.tenant.tenant import Tenant

# Entra's error names and statuses by AADSTS number; all others are 401 invalid_client. Documented:
# Entra's list of AADSTS codes, and the names of the device flow. The statuses are those seen in
# public issues (I). Assumed: the numbers 70017 and 70019.
_KINDS = {
    90002: (400, "invalid_request"),
    90014: (400, "invalid_request"),
    70003: (400, "unsupported_grant_type"),
    70011: (400, "invalid_scope"),
    70016: (400, "authorization_pending"),
    70017: (400, "authorization_declined"),
    70018: (400, "bad_verification_code"),
    70019: (400, "expired_token"),
    50105: (400, "invalid_grant"),
    65001: (400, "invalid_grant"),
    90009: (400, "invalid_request"),
    700016: (400, "unauthorized_client"),
    1002012: (400, "invalid_scope"),
    500011: (400, "invalid_resource"),
}


class Aadsts(Exception):
    """A refusal by the login host."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def refusal(tenant: Tenant, error: Aadsts) -> Response:
    """
    The error body of Entra.

    Documented (Entra, handling error codes): these members, and the AADSTS number in the text.
    """
    status, name = _KINDS.get(error.code, (401, "invalid_client"))
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    timestamp = f"{tenant.now():%Y-%m-%d %H:%M:%SZ}"
    body = {
        "error": name,
        "error_description": f"AADSTS{error.code}: {error} Trace ID: {trace}"
        f" Correlation ID: {correlation} Timestamp: {timestamp}",
        "error_codes": [error.code],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{tenant.urls.login}/error?code={error.code}",
    }
    return JSONResponse(body, status)
