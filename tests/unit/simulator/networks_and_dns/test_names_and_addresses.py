"""Which names and addresses are accepted, and how they come back, beyond what recordings show."""

from typing import Any

import pytest


class TestNamesAndAddresses:
    @pytest.mark.parametrize(
        "name", ["a_.b", "a-.b", "a.-b", "_", "a._b", "-", "a..b", "", "a\n", "xn--", f"{'x' * 64}.b"]
    )
    def test_no_kind_takes_a_broken_domain(self, admin: Any, group: str, network: str, name: str, route: Any) -> None:
        wanted = route(domains=[name], peer="")
        assert admin("POST", "/routes", wanted) == (422, f"invalid domains: invalid domain format: {name}")
        assert admin("POST", f"/networks/{network}/resources", {"address": name})[0] == 500
        zone = {"name": "z", "domain": name, "distribution_groups": [group]}
        assert admin("POST", "/dns/zones", zone) == (422, "invalid zone domain format")

    @pytest.mark.parametrize("name", ["_a.b", "a_b", "a--b.c", "10.0.0.1", f"{'x' * 63}.b"])
    def test_every_kind_takes_these(self, admin: Any, group: str, name: str, route: Any) -> None:
        assert admin.make("/routes", route(domains=[name], peer=""))["domains"] == [name]
        zone = {"name": "z", "domain": name, "distribution_groups": [group]}
        assert admin.make("/dns/zones", zone)["domain"] == name

    def test_the_mark_of_punycode_does_not_count_for_the_length_of_a_label(self, admin: Any, group: str) -> None:
        for length, status in ((63, 200), (64, 422)):
            zone = {"name": "z", "domain": f"xn--{'x' * length}.b", "distribution_groups": [group]}
            assert admin("POST", "/dns/zones", zone)[0] == status

    def test_only_ascii_letters_of_a_route_are_lower_cased(self, admin: Any, route: Any) -> None:
        made = admin.make("/routes", route(domains=["BÜCHER.at", "XN--BCHER-KVA.de", "*.Ünï.x"], peer=""))
        assert made["domains"] == ["bÜcher.at", "bücher.de", "*.Ünï.x"]

    def test_broken_punycode_is_told_apart(self, admin: Any, group: str, route: Any) -> None:
        broken = 'convert domain to punycode: xn--0.com: idna: invalid label "0"'
        wanted = route(domains=["xn--0.com"], peer="")
        assert admin("POST", "/routes", wanted) == (422, f"invalid domains: {broken}")
        escaped = broken.replace('"', '\\"')
        assert admin("POST", "/dns/nameservers", {"domains": ["xn--0.com"]}) == (
            422,
            f'nameserver group got an invalid domain: xn--0.com "invalid domain name: {escaped}"',
        )

    def test_what_cannot_be_printed_is_escaped_in_the_complaint(self, admin: Any) -> None:
        assert admin("POST", "/dns/nameservers", {"domains": ["a\x00\tb"]}) == (
            422,
            'nameserver group got an invalid domain: a\x00\tb "invalid domain name: invalid domain format: a\\x00\\tb"',
        )

    def test_the_pattern_is_matched_in_lower_case(self, admin: Any, group: str) -> None:
        kelvin = {"name": "z", "domain": "\u212a.example", "distribution_groups": [group]}
        assert admin.make("/dns/zones", kelvin)["domain"] == "\u212a.example"

    @pytest.mark.parametrize(
        ("given", "stored", "kind"),
        [
            ("2001:DB8::1%eth0/64", "2001:db8::1/128", "host"),
            ("::ffff:1.2.3.4/128", "::ffff:1.2.3.4/128", "host"),
            ("::1.2.3.4/96", "::102:304/96", "subnet"),
            ("1:2:3:4:5:6:7::/64", "1:2:3:4:5:6:7:0/64", "subnet"),
        ],
    )
    def test_addresses_are_read_as_go_reads_them(
        self, admin: Any, network: str, given: str, stored: str, kind: str
    ) -> None:
        made = admin.make(f"/networks/{network}/resources", {"address": given})
        assert (made["address"], made["type"]) == (stored, kind)

    @pytest.mark.parametrize("given", ["10.0.0.0/08", "10.0.0.0/+8", "fe80::1%", "10.0.0.0/"])
    def test_these_are_no_addresses(self, admin: Any, network: str, given: str) -> None:
        assert admin("POST", f"/networks/{network}/resources", {"address": given}) == (500, "internal server error")

    @pytest.mark.parametrize(
        ("given", "stored"), [("[1.1.1.1]", "1.1.1.1"), ("0::0", "::"), ("[::FFFF:1.1.1.1]", "::ffff:1.1.1.1")]
    )
    def test_brackets_around_a_nameserver_come_off_in_pairs(
        self, admin: Any, group: str, given: str, stored: str
    ) -> None:
        body = {"name": "n", "groups": [group], "primary": True, "nameservers": [{"ip": given, "ns_type": "UDP"}]}
        assert admin.make("/dns/nameservers", body)["nameservers"] == [{"ip": stored, "ns_type": "udp", "port": 0}]

    @pytest.mark.parametrize("given", ["[1.1.1.1", "1.1.1.1]", "[[::1]]", "[::1%eth0]", "[]"])
    def test_other_brackets_do_not(self, admin: Any, given: str) -> None:
        body = {"nameservers": [{"ip": given, "ns_type": "udp"}]}
        assert admin("POST", "/dns/nameservers", body) == (422, "invalid ns servers format")

    def test_an_ipv4_address_in_ipv6_clothes_belongs_in_an_a_record(self, admin: Any, zone: str) -> None:
        record = {"name": "a.corp.example", "content": "::FFFF:102:304"}
        assert admin("POST", f"/dns/zones/{zone}/records", {**record, "type": "AAAA"})[0] == 422
        assert admin.make(f"/dns/zones/{zone}/records", {**record, "type": "A"})["content"] == "::FFFF:102:304"

    def test_complaints_are_lower_cased_letter_by_letter(self, admin: Any) -> None:
        assert admin("GET", "/networks/İΣ") == (404, "network: i\N{GREEK SMALL LETTER SIGMA} not found")
