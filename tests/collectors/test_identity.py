"""Identities: one function for every table, so that the same record meets itself."""

from __future__ import annotations

import pytest

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.identity import from_header, from_key, hashed, reads_only_the_key

KEY = b"sixteen bytes or more"


@pytest.mark.parametrize("key", ["account-7", b"account-7"])
def test_text_and_its_bytes_are_one_identity(key: str | bytes) -> None:
    """A producer that gives text and a reader that gets bytes tell the same identity, hashed or not."""
    assert from_key(key, ()) == "account-7"
    assert hashed(from_key, KEY)(key, ()) == hashed(from_key, KEY)(b"account-7", ())


def test_hash_is_keyed_and_of_128_bits() -> None:
    """Another key or another identity gives another hash; nothing of either can be read in it."""
    hashes = {hashed(from_key, key)(text, ()) for key in (KEY, KEY + b"!") for text in ("a", "b")}
    assert len(hashes) == 4
    assert {len(found or "") for found in hashes} == {32}


def test_record_without_an_identity_has_no_hash() -> None:
    """Missing stays missing: otherwise all records without an identity would look like one."""
    assert hashed(from_header("id"), KEY)(b"key", [("other", b"x")]) is None


def test_short_key_is_refused() -> None:
    """A key that can be guessed protects nothing; the error does not show it."""
    with pytest.raises(UsageError, match="has 5 bytes") as caught:
        hashed(from_key, b"short")
    assert "short" not in str(caught.value)


def test_key_is_never_shown() -> None:
    """The repr of an identity function, as in a traceback, does not hold the key."""
    assert KEY.decode() not in repr(hashed(from_key, KEY))


def test_which_identities_need_the_headers() -> None:
    """Keys can be read when the record is delivered; headers and unknown functions only when it is produced."""
    functions = [from_key, hashed(from_key, KEY), from_header("id"), hashed(from_header("id"), KEY), lambda *_: "x"]
    assert [reads_only_the_key(function) for function in functions] == [True, True, False, False, False]
