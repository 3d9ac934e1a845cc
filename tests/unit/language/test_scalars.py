"""Scalars: text where text is meant, durations, ports, interpolation."""

from __future__ import annotations

import pytest

from tests.unit.harness import Desk
from tests.unit.language.conftest import Check

TYPE, INVALID = "NBS112", "NBS113"

NOT_TEXT = {
    "a version": ("posture_checks: {p: {netbird_version: ▸0.60}}", "0.60"),
    "a version of an operating system": ("posture_checks: {p: {os_version: {macos: ▸14.10}}}", "14.10"),
    "a description": ("networks: {n: {description: ▸2024}}", "2024"),
    "a description, as a boolean": ("networks: {n: {description: ▸true}}", "true"),
    "a description, in capitals": ("networks: {n: {description: ▸FALSE}}", "FALSE"),
    "a description, in hexadecimal": ("networks: {n: {description: ▸0x1F}}", "0x1F"),
    "a description, with zeros": ("networks: {n: {description: ▸007}}", "007"),
    "a description, as an exponent": ("networks: {n: {description: ▸1e3}}", "1e3"),
    "a member": ("groups: {g: {peers: [▸10]}}", "10"),
    "a member among others": ("groups: {g: {peers: {at_least: [a, ▸1.50]}}}", "1.50"),
    "an earlier name": ("groups: {g: {previously: ▸1}}", "1"),
    "an earlier name in a list": ("groups: {g: {previously: [a, ▸1]}}", "1"),
    "an id": ("groups: {g: {id: ▸5}}", "5"),
    "an owner": ("groups: {g: {owner: ▸5}}", "5"),
    "an end": ("policies: {p: {from: ▸5, to: b, allow: all}}", "5"),
    "an end in a list": ("policies: {p: {from: a, to: [b, ▸5], allow: all}}", "5"),
    "a peer as an end": ("policies: {p: {from: {peer: ▸5}, to: b, allow: all}}", "5"),
    "a posture check": ("policies: {p: {from: a, to: b, allow: all, posture: ▸1}}", "1"),
    "a local user": ("policies: {p: {from: a, to: b, ssh: {a: [▸0]}}}", "0"),
    "the only local user": ("policies: {p: {from: a, to: b, ssh: {a: ▸0}}}", "0"),
    "a protected address": ("guards: {protect: [▸5]}", "5"),
    "null in a list": ("groups: {g: {peers: [▸null]}}", "null"),
    "~ in a list": ("groups: {g: {peers: [▸~]}}", "~"),
}

NEITHER_WAY = {
    "traffic": ("policies: {p: {from: a, to: b, allow: ▸443}}", "write all, icmp, tcp, udp, tcp/443 or udp/8000-8100"),
    "an address": ("networks: {n: {resources: {r: {address: ▸10.5}}}}", "write 10.20.5.10, 10.20.0.0/16, "),
    "a country": ("posture_checks: {p: {locations: {allow: [▸false]}}}", "write DE, or DE/Berlin"),
    "a duration": ("setup_keys: {k: {type: reusable, expires_in: ▸3600}}", "write never, or 90d, 12h, 10m, 30s, 1d12h"),
    "a setting": ("account: {peer_login_expiration: ▸12}", "write days, hours, minutes, seconds: 90d, 12h, 10m"),
    "a record": ("dns: {zones: {x.y: {groups: [a], records: {w: {A: ▸1.5}}}}}", "write one IPv4 address"),
}


@pytest.mark.parametrize(("text", "written"), NOT_TEXT.values(), ids=NOT_TEXT)
def test_what_is_no_text_is_refused_as_it_is_written(refused: Check, text: str, written: str) -> None:
    (error,) = refused(text)
    assert error.code == TYPE
    assert error.message.startswith(f"text is meant here, and {written} is ")
    assert error.help == f'quote it: "{written}"'


@pytest.mark.parametrize(("text", "advice"), NEITHER_WAY.values(), ids=NEITHER_WAY)
def test_quotes_are_not_advised_where_they_would_not_do(refused: Check, text: str, advice: str) -> None:
    (error,) = refused(text)
    assert error.code == TYPE
    assert advice in error.help


def test_what_quotes_cannot_make_text_gets_a_tag(refused: Check) -> None:
    (error,) = refused('posture_checks: {p: {netbird_version: ▸"${env:NB_MIN:-0.60}"}}')
    assert error.help == "make it text: !!str ${env:NB_MIN:-0.60}"


@pytest.mark.parametrize(
    "text",
    [
        "posture_checks: {p: {locations: {allow: [NO, NO/Oslo]}, netbird_version: 0.60.0}}",
        "networks: {n: {description: on}, yes: {description: no}, 1: {}, true: {}, 1.10: {}}",
        "networks: {n: {description: 2024-01-01}, m: {description: '12:30'}, o: {description: 1_000}}",
        'posture_checks: {p: {netbird_version: !!str "${env:NB_MIN:-0.60}"}}',
        'vars: {v: "0.60"}\nposture_checks: {p: {netbird_version: "${var:v}"}}',
    ],
)
def test_what_yaml_1_2_reads_as_text_is_text(taken: Check, text: str) -> None:
    taken(text)


NULLS = {
    "a field": "groups: {g: {peers: ▸null}}",
    "a field with a tilde": "groups: {g: {peers: ▸~}}",
    "a field that is not written": "networks: {n: {description: }}".replace(" }}", "▸ }}"),
    "a switch": "policies: {p: {from: a, to: b, allow: all, enabled: ▸null}}",
    "a key of every object": "groups: {g: {protect: ▸null}}",
    "an action": "policies: {p: {from: a, to: b, allow: all, deny: ▸null}}",
    "a setting": "account: {dns_domain: ▸null}",
    "the only field of an object": "dns: {disabled_management_groups: ▸null}",
}


@pytest.mark.parametrize("text", NULLS.values(), ids=NULLS)
def test_a_null_is_no_value(refused: Check, text: str) -> None:
    (error,) = refused(text)
    assert error.code == TYPE
    assert "has no value" in error.message
    assert error.help == "give it one, or leave the key out"


WRONG_TYPES = {
    "text for a switch": ("peers: {p: {ssh_enabled: ▸yes}}", "true or false is meant here, not 'yes'"),
    "quotes around a switch": ('groups: {g: {protect: ▸"true"}}', "true or false is meant here, not 'true'"),
    "a number for a switch": ("groups: {g: {protect: ▸1}}", "true or false is meant here, not '1'"),
    "text for a number": (
        'networks: {n: {routers: [{peer: x, metric: ▸"9"}]}}',
        "a whole number is meant here, not '9'",
    ),
    "a boolean for a number": ("networks: {n: {routers: [{peer: x, metric: ▸true}]}}", "a whole number is meant here"),
    "a fraction for a number": ("setup_keys: {k: {type: reusable, usage_limit: ▸1.0}}", "a whole number is meant here"),
    "text for a list": ("groups: {g: {peers: ▸gw-1}}", "a list is meant here, not 'gw-1'"),
    "a mapping for a list": ("groups: {g: {ignore: ▸{}}}", "a list is meant here, not a mapping"),
    "a list for text": ("networks: {n: {description: ▸[a]}}", "text is meant here, not a list"),
    "a mapping for text": ("networks: {n: {description: ▸{a: b}}}", "text is meant here, not a mapping"),
    "text for a mapping": ("posture_checks: {p: {os_version: ▸x}}", "a mapping is meant here, not 'x'"),
    "text among mappings": ("networks: {n: {routers: [▸x]}}", "'entry 1' is a mapping, not 'x'"),
    "a mapping for the list of routers": ("networks: {n: {routers: ▸{peer: x}}}", "'routers' is a list, not a mapping"),
    "a list for the mapping of resources": ("networks: {n: {resources: ▸[x]}}", "'resources' is a mapping, not a list"),
}


@pytest.mark.parametrize(("text", "message"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_another_type_is_refused(refused: Check, text: str, message: str) -> None:
    (error,) = refused(text)
    assert error.code == TYPE
    assert message in error.message


@pytest.mark.parametrize("written", ["90", "1.5d", "1w", "2h1d", "1d 12h", "-1d", "d", "", "1D", "forever"])
def test_what_is_no_duration_is_refused(refused: Check, written: str) -> None:
    (error,) = refused(f'setup_keys: {{k: {{type: reusable, expires_in: ▸"{written}"}}}}')
    assert error.code == INVALID
    assert error.message == f"'{written}' is not a duration"
    assert "90d, 12h, 10m, 30s, 1d12h" in error.help


@pytest.mark.parametrize("written", ["90d", "12h", "10m", "30s", "1d12h", "1d2h3m4s", "90000s", "never"])
def test_durations(taken: Check, written: str) -> None:
    taken(f"setup_keys: {{k: {{type: reusable, expires_in: {written}}}}}")


@pytest.mark.parametrize(
    "text",
    [
        "account: {peer_login_expiration: ▸never}",
        "account: {peer_inactivity_expiration: ▸never}",
        "service_users: {s: {role: admin, tokens: {t: {expires_in: ▸never}}}}",
        "setup_keys: {k: {type: reusable, expires_in: ▸0s}}",
    ],
)
def test_never_is_for_setup_keys_alone(refused: Check, text: str) -> None:
    (error,) = refused(text)
    assert (error.code, "is no time at all" in error.message) == (INVALID, True)


def test_variables_come_from_var_env_and_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIDR", "10.1.0.0/16")
    desk.write("fd00::/64\n", "ranges/v6")
    desk.write(
        """
        version: 1
        vars:
          one: "${var:all}"
          all: ["${env:CIDR}", "${file:v6}"]
        posture_checks:
          p: {network_ranges: {allow: "${var:one}"}, description: "from ${env:WHERE:-here} for $${home}"}
        """,
        "ranges/a.yaml",
    )
    assert desk.nbsync("validate", "-o", "json").exit_code == 0


FAILING_VARIABLES = {
    "an unset one of the environment": (
        "vars: {}\ngroups: {g: {owner: ▸'${env:NOBODY_SETS_THIS}'}}",
        "NBS103",
        "is not set",
    ),
    "one that nobody declares": ("vars: {site: a}\ngroups: {g: {owner: ▸'${var:sites}'}}", "NBS103", "sites"),
    "a file that is not there": ("groups: {g: {owner: ▸'${file:nowhere}'}}", "NBS102", "nowhere does not exist"),
    "a circle": ("vars: {a: ▸'${var:b}', b: '${var:a}'}", "NBS104", "a circle"),
    "an unknown source": ("groups: {g: {owner: ▸'${vault:x}'}}", "NBS102", "neither var:NAME nor env:NAME"),
    "one that is not closed": ("groups: {g: {owner: ▸'${env:X'}}", "NBS102", "never closed"),
    "a list within text": ("vars: {a: [x]}\ngroups: {g: {owner: ▸'a ${var:a}'}}", "NBS102", "cannot stand inside"),
}


@pytest.mark.parametrize(("text", "code", "message"), FAILING_VARIABLES.values(), ids=FAILING_VARIABLES)
def test_variables_that_fail(refused: Check, text: str, code: str, message: str) -> None:
    (error,) = refused(text)
    assert error.code == code
    assert message in error.message


def test_a_scalar_that_is_one_interpolation_has_the_type_of_its_text(
    taken: Check, refused: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRIC", "100")
    monkeypatch.setenv("SWITCH", "false")
    taken("networks: {n: {routers: [{peer: x, metric: '${env:METRIC}', enabled: '${env:SWITCH}'}]}}")
    monkeypatch.setenv("METRIC", "low")
    (error,) = refused("networks: {n: {routers: [{peer: x, metric: ▸'${env:METRIC}'}]}}")
    assert error.message == "a whole number is meant here, not 'low'"


def test_interpolation_is_done_once_and_never_on_keys(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRICK", "${env:HOME}")
    outcome = desk.validate(
        "groups: {'${env:HOME}': {}}\npolicies: {p: {from: '${env:TRICK}', to: '${env:TRICK}', allow: all}}"
    )
    assert (outcome.exit_code, outcome.findings) == (0, [])


def test_var_overrides_vars(taken: Check, refused: Check) -> None:
    text = "vars: {metric: low}\nnetworks: {n: {routers: [{peer: x, metric: ▸'${var:metric}'}]}}"
    refused(text)
    taken(text.replace("▸", ""), "--var", "metric=100")
    refused(text, "--var", "metric=10000")
