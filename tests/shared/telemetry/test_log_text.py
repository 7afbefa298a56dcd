"""Sentences in the log contain no address and no key, and stay sentences."""

from __future__ import annotations

import pytest

from shared.telemetry.log_text import loggable


@pytest.mark.parametrize(
    ("sentence", "logged"),
    [
        ("Type anne@contoso.com, or an id.", "Type …@…, or an id."),
        ("Ask Anne (anne@contoso.com).", "Ask Anne …@…)."),
        ("o'neill@contoso.com: gone", "…@…: gone"),
        ('{"userId": "anne@contoso.com", "force": true}', "{'userId': …@…', 'force': true}"),
        ("anne@. is nobody's", "…@…. is nobody's"),
        ("https://host/api?code=secret&x=1", "https://host/api?code=…&x=1"),
    ],
)
def test_addresses_are_left_out_and_punctuation_is_not(sentence: str, logged: str):
    """Personal data is removed; the punctuation after it stays."""
    assert loggable(sentence) == logged
