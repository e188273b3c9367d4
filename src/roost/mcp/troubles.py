"""What goes wrong, in words that tell an agent what to do next."""

import math

from roost.client.errors import (
    ConnectionFailed,
    ConsentRequired,
    Forbidden,
    NotFound,
    RateLimited,
    RoostError,
    ServerError,
    Unauthorized,
)


def advice(trouble: RoostError, scope: str) -> str:
    """One line: a code, and what to do. `scope` is what the tool needs of an API key; an agent has none."""
    match trouble:
        case ConsentRequired():
            return f"{_code(trouble)}: {trouble}. Do not text them, and do not try again."
        case Forbidden() if scope:
            return (
                f"{_code(trouble)}: this needs a credential with the scope {scope}. Do not try again; ask the operator."
            )
        case Unauthorized():
            return f"{_code(trouble)}: the credential is not valid, or no longer. Ask the operator for another."
        case RateLimited(retry_after=seconds):
            return f"{_code(trouble)}: too many. Call again in {math.ceil(seconds or 1)} seconds."
        case NotFound():
            return f"{_code(trouble)}: {trouble}. It may be gone, or never was; take ids from another tool's answer."
        case ConnectionFailed():
            return (
                f"NO_ANSWER: {trouble}. Whether it was done is not known; repeat it with the same key, or look first."
            )
        case ServerError(request_id=request_id):
            return f"{_code(trouble)}: the server failed (request {request_id}). Try once more in a moment."
    return f"{_code(trouble)}: {trouble}"


def _code(trouble: RoostError) -> str:
    return trouble.code or (str(trouble.status) if trouble.status else "INVALID_INPUT")
