"""What Schemathesis cannot know by itself: how JSON lines are written, and what no schema can say."""

import json

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance


@schemathesis.serializer("application/x-ndjson")
def json_lines(context, value):
    """One value is a body of one line; several are as many lines."""
    lines = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(line) for line in lines).encode()


def unsayable(operation, problem):
    """Whether a 400 is for a fault of form that a document of OpenAPI has no word for."""
    # A cursor is what a page said; one that was made up is none.
    if problem["code"] == "cursor-unknown":
        return True
    # Of two parameters, one is needed.
    if operation == "GET /suppliers/v1/offers" and problem["code"] == "query-malformed":
        return True
    # `1.0` is an integer to JSON Schema. It is none to us: quantities are written as integers.
    return any("a number that is no integer" in fault["detail"] for fault in problem["errors"])


@schemathesis.check
def lawful_form_is_accepted(context, response, case):
    """What the document allows is not refused for its form."""
    if response.status_code == 400 and unsayable(case.operation.label, response.json()):
        return None
    return positive_data_acceptance(context, response, case)
