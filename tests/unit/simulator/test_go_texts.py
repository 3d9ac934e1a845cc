"""Durations, times, URLs, addresses and JSON faults, in the forms and words of Go's standard library."""

from typing import Any

import pytest

from reconciler.simulator import durations, json_faults, netip_faults, timestamps, urls
from reconciler.simulator.queries import like, page, positive

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("60s", "1m0s"),
        ("90m", "1h30m0s"),
        ("1.5h", "1h30m0s"),
        ("100ms", "100ms"),
        ("1us", "1µs"),
        ("1500ns", "1.5µs"),
        ("-5s", "-5s"),
        ("+.5s", "500ms"),
        ("0", "0s"),
        ("2562047h47m16.854775807s", "2562047h47m16.854775807s"),
    ],
)
def test_a_duration_is_written_in_one_form(given: str, canonical: str) -> None:
    assert durations.render(durations.parse(given)) == canonical


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("x", 'time: invalid duration "x"'),
        ("1h2", 'time: missing unit in duration "1h2"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("1é", r'time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9"'),
        ("9999999h", 'time: invalid duration "9999999h"'),
    ],
)
def test_what_is_no_duration_is_named(given: str, message: str) -> None:
    with pytest.raises(durations.DurationError) as caught:
        durations.parse(given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-11-24T06:40:00Z", "2026-11-24 06:40:00+00:00"),
        ("2026-11-24T06:40:00.50+02:00", "2026-11-24 06:40:00.5+02:00"),
        ("2024-02-29T5:00:00,1Z", "2024-02-29 05:00:00.1+00:00"),
    ],
)
def test_a_time_is_kept_as_it_is_written(given: str, stored: str) -> None:
    assert timestamps.parse(given).stored() == stored


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("x", ' as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ("2026-02-29T00:00:00Z", ": day out of range"),
        ("2026-13-01T00:00:00Z", ": month out of range"),
        ("2026-11-24T06:40:00", ' as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'),
        ("2026-11-24T06:40:00Zx", ': extra text: "x"'),
        ("2026-11-24T06:40:00 02:00", ' as "2006-01-02T15:04:05Z07:00": cannot parse " 02:00" as "Z07:00"'),
    ],
)
def test_what_is_no_time_is_named(given: str, reason: str) -> None:
    with pytest.raises(timestamps.TimestampError) as caught:
        timestamps.parse(given)
    assert str(caught.value) == f'parsing time "{given}"{reason}'


@pytest.mark.parametrize(
    ("given", "scheme", "host"),
    [
        ("HTTPS://Corp.test:8443/a?b#c", "https", "Corp.test:8443"),
        ("http://user:pw@[::1]:80/", "http", "[::1]:80"),
        ("//corp.test", "", "corp.test"),
        ("mailto:a@b", "mailto", ""),
        ("corp.test/a:b", "", ""),
        ("https://", "https", ""),
    ],
)
def test_a_url_has_a_scheme_and_a_host(given: str, scheme: str, host: str) -> None:
    assert urls.parse(given) == (scheme, host)


@pytest.mark.parametrize(
    "given", [":x", "a b:c", "http://a b/", "http://a:b/", "http://[x]/", "http://a/%zz", "http://a\n"]
)
def test_what_is_no_url_is_refused(given: str) -> None:
    with pytest.raises(urls.UrlError):
        urls.parse(given)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("10.0.0.0", "no '/'"),
        ("10.0.0/8", 'ParseAddr("10.0.0"): IPv4 address too short'),
        ("10.0.0.256/8", 'ParseAddr("10.0.0.256"): IPv4 field has value >255'),
        ("01.0.0.0/8", 'ParseAddr("01.0.0.0"): IPv4 field has octet with leading zero'),
        ("1::2::3/64", 'ParseAddr("1::2::3"): multiple :: in address (at ":3")'),
        ("fe80::1%eth0/64", "IPv6 zones cannot be present in a prefix"),
        ("10.0.0.0/08", 'bad bits after slash: "08"'),
        ("10.0.0.0/33", "prefix length out of range"),
        ("::1.2.3.4/129", "prefix length out of range"),
    ],
)
def test_what_is_no_prefix_is_explained(given: str, reason: str) -> None:
    assert netip_faults.prefix_fault(given) == f'netip.ParsePrefix("{given}"): {reason}'


@pytest.mark.parametrize("given", ["10.0.0.1/8", "::/0", "::ffff:1.2.3.4/128", "2001:db8::/32"])
def test_a_prefix_has_no_fault(given: str) -> None:
    assert netip_faults.prefix_fault(given) is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"not json", "invalid character 'o' in literal null (expecting 'u')"),
        (b"tr", "invalid character ' ' in literal true (expecting 'u')"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a":"\\q"}', "invalid character 'q' in string escape code"),
        (b'{"a":"\\u12x"}', "invalid character 'x' in \\u hexadecimal character escape"),
        (b"1.x", "invalid character 'x' after decimal point in numeric literal"),
        (b"-x", "invalid character 'x' in numeric literal"),
        (b"NaN", "invalid character 'N' looking for beginning of value"),
        (b'"a', "unexpected end of JSON input"),
    ],
)
def test_what_is_no_json_is_explained(given: bytes, reason: str) -> None:
    with pytest.raises(json_faults.JsonError) as caught:
        json_faults.loads(given)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("given", "value"), [("+2", 2), ("007", 7), ("0", None), ("-1", None), (" 1", None), ("1_0", None)]
)
def test_only_positive_numbers_count(given: str, value: int | None) -> None:
    assert positive(given) == value


def test_a_page_tells_where_it_stands() -> None:
    rows = [{"id": str(number)} for number in range(5)]
    third = page(rows, "3", "2")
    assert (third["data"], third["total_pages"], third["total_records"]) == ([{"id": "4"}], 3, 5)
    assert page(rows, "x", "1000")["page_size"] == 100


def test_like_knows_two_wildcards_and_ascii_case() -> None:
    assert like("%LO_IN%", "/login")
    assert not like("ä", "Ä")
    assert not like("a.c", "abc")
