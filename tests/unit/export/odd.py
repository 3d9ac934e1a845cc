"""Values as nobody would choose them, which the API lets pass."""

from __future__ import annotations

ODD_NAMES = [
    "NO", "on", "1.0", "1", "0x1f", "null", "~", "true", "", " ", " a", "a ", "a: b", "a #b", "#", "- a", "-", "?", "? a", "a, b",
    "{a}", "[a]", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "<<", "=", "'", "''", '"', 'a"b', "a'b", "\\", "a\\nb", "a\nb", "a\r\nb",
    "\ta", "a\x00b", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", "\u202e", "web\u200b", "👩\u200d💻", "é", "日本", "🙂", "${x}", "$${x}", "${var:x}", "$",
    "a/b", "a+b", "a:b", "a%2Fb", "%", "*", "dev-*", "[x]", "a?b", "All", "all", "(no group with id x)", "x (id y)", "::", "a::b", "::error::x",
    "##[group]", "---", "--- a", "...", "a" * 1100, "groups", "version", "id", "2024-01-01", "12:30:45", "1_000", "yes", "Default",
]  # fmt: skip
PLAIN_NAMES = ["ops", "devs", "web", "db", "gw"]
DOMAINS = ["acme.example", "a.acme.example", "ACME.example", "x", "*.acme.example", "münchen.example", "xn--a.example"]
NETWORKS = ["10.0.0.0/8", "10.20.5.10/32", "10.20.5.10/24", "0.0.0.0/0", "fd00::/64", "fd00::1/64"]
ADDRESSES = [
    "10.0.0.1", "10.0.0.1/32", "10.0.0.7/24", "fd00::1", "nas.example", "*.nas.example", "UP.example", "fd00::/64",
    "10.0.0.256", "12345", "10.0.0.1-10.0.0.9", "localhost", "_x.example", "münchen.example", "::ffff:10.0.0.1", "fe80::1%eth0", "0.0.0.0/0",
]  # fmt: skip
IPS = ["10.0.0.53", "10.0.0.54", "fd00::53", "fd00:0::53", "9.9.9.9"]
ROLES = ["admin", "user", "auditor", "network_admin", "billing_admin"]
NUMBERS = [1, 22, 53, 300, 9999, -1, 0, 10000, 65535, 65536]
LABELS = ["@", "www", "*", "*.x", "a.b", "WWW", "no", "1.0", "_srv", "x-", "münchen", "on", "null"]
VERSIONS = ["0.60.0", "v1", "14", "5.15.0-rc1", "abc", "", "1.20", " 1.0", "0"]
PATHS = ["/bin/x", "C:\\a b\\c.exe", "/x: y", "~", "%SystemRoot%\\x.exe", "/a\nb", "${x}"]
EMAILS = [
    "ana@acme.example",
    "Ben@Acme.example",
    "x y@z",
    "no",
    "c@d",
    "null",
    "1.20",
    "o'neil@acme.example",
    "a/b@acme.example",
    "ä@acme.example",
]
CODE_POINTS = [range(0x20, 0x7F), range(0xD800), range(0xE000, 0x110000)]
"""Plain ones first, so that there are names that people could have typed."""
