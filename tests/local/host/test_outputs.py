"""Which messages an output value means."""

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
    """One message an item, in order; texts in a list stay as they are, JSON texts are unpacked."""
    assert items(datum) == messages


def test_text_that_only_looks_like_json_is_an_error():
    """The real host tries to parse it too, and fails."""
    with pytest.raises(BadOutput):
        items(Datum("{oops}", "string"))
