"""What is checked and what is sent are the same text."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bough.links.addresses import MAX_ADDRESS, Refused, SafeAddress, encode, read_address


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("https://www.example.com/?a=b&c=%20d", "https://www.example.com/?a=b&c=%20d"),
        ("HTTPS://WWW.Example.com/A?B#C", "https://www.example.com/A?B#C"),
        ('https://example.com/ä b?"<>`{}|^\\', "https://example.com/%C3%A4%20b?%22%3C%3E%60%7B%7D%7C%5E%5C"),
        ("https://example.com/100%?a=%4&b=%zz&c=%41", "https://example.com/100%25?a=%254&b=%25zz&c=%41"),
        ("https://bücher.example:443/", "https://xn--bcher-kva.example:443/"),
        ("https://[2001:DB8::1]:8080/x", "https://[2001:db8::1]:8080/x"),
        ("acme://a b?c=ä#d", "acme://a%20b?c=%C3%A4#d"),
        ("https://example.com?x=1", "https://example.com?x=1"),
    ],
)
def test_an_address_is_sent_as_plain_ascii(text: str, sent: str) -> None:
    address = read_address(text)
    assert isinstance(address, SafeAddress)
    assert address.url == sent


def test_the_parts_that_rules_compare() -> None:
    address = read_address("https://Example.com.:8443/a/b?c#d")
    assert isinstance(address, SafeAddress)
    assert (address.host, address.authority, address.path) == ("example.com", "example.com.:8443", "/a/b")
    six = read_address("https://[::1]:8443")
    assert isinstance(six, SafeAddress)
    assert (six.host, six.path) == ("[::1]", "/")


@given(
    st.text(alphabet=st.characters(), max_size=80), st.sampled_from(["", "https://", "https://example.com/", "acme:"])
)
def test_whatever_is_accepted_fits_into_a_header(text: str, start: str) -> None:
    address = read_address(start + text)
    if isinstance(address, Refused):
        assert address.why
    else:
        assert re.fullmatch(r"[\x21-\x7e]+", address.url)
        assert read_address(address.url) == address


def test_long_hostile_texts_take_no_time() -> None:
    began = time.perf_counter()
    for text in ("https://" + "ä" * 10**6, "https://a/" + "%" * 10**6, ":" * 10**6, "https://" + "a." * 4000):
        assert isinstance(read_address(text), Refused)
    assert len(encode("%" * MAX_ADDRESS)) == MAX_ADDRESS * 3
    assert time.perf_counter() - began < 0.5
