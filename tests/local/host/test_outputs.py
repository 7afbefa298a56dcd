"""The messages in an output value."""

import pytest

from local.host.engine import Datum
from local.host.invocations import BadOutput, items


@pytest.mark.parametrize(
    ("datum", "messages"),
    [
        (None, []),
        (Datum("anne@contoso.com", "string"), ["anne@contoso.com"]),
        (Datum(b"\xff", "bytes"), [b"\xff"]),
        (Datum('["b", "a", "b"]', "json"), ["b", "a", "b"]),
        (Datum("[]", "json"), []),
        (Datum('["{\\"a\\": 1}"]', "json"), ['{"a": 1}']),
        (Datum('["a", "b"]', "string"), ["a", "b"]),
        (Datum('{"a":"ü"}', "string"), ['{\n  "a": "ü"\n}']),
    ],
)
def test_messages_of_an_output(datum, messages):
    """One message per item, in order; texts in a list stay unchanged, JSON texts are parsed."""
    assert items(datum) == messages


def test_text_that_only_looks_like_json_is_an_error():
    """The real host tries to parse it too, and fails (documented: ReadAsEnumerable)."""
    with pytest.raises(BadOutput):
        items(Datum("{oops}", "string"))
