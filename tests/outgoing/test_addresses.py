"""Which addresses are in the internet, which the setting allows, and what people read about the others."""

from ipaddress import ip_address

import pytest

from llm_admin import outgoing
from llm_admin.conf import Settings
from llm_admin.outgoing.addresses import OutgoingRefused, check_address, literal

PUBLIC = ["8.8.8.8", "104.18.6.192", "2606:4700::6812:6c0", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.8.9.10",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address, allow):
    allow()
    assert outgoing.public(ip_address(address))
    check_address(address, 443, ip_address(address))


@pytest.mark.parametrize("address", INSIDE)
def test_inside(address, allow):
    allow()
    assert not outgoing.public(ip_address(address))
    with pytest.raises(OutgoingRefused):
        check_address("name.example", 443, ip_address(address))


@pytest.mark.parametrize(
    ("entry", "host", "port", "address"),
    [
        ("localhost", "localhost", 1, "127.0.0.1"),
        ("LocalHost.", "localhost", 1, "::1"),
        ("localhost:11434", "localhost", 11434, "127.0.0.1"),
        ("ollama", "ollama", 11434, "172.18.0.3"),
        ("10.0.0.0/8", "models.corp", 443, "10.20.30.40"),
        ("127.0.0.1", "localhost", 5, "127.0.0.1"),
        ("127.0.0.1:5", "localhost", 5, "127.0.0.1"),
        ("127.0.0.0/8", "::ffff:127.0.0.1", 5, "::ffff:127.0.0.1"),
        ("[::1]:8080", "::1", 8080, "::1"),
        ("::1", "::1", 8080, "::1"),
        ("fd00::/8", "models.corp", 443, "fd12::5"),
        ("169.254.169.254", "169.254.169.254", 80, "169.254.169.254"),  # written as a number: it is meant
    ],
)
def test_what_the_setting_allows(allow, entry, host, port, address):
    allow("other.example", entry)
    check_address(host, port, ip_address(address))


@pytest.mark.parametrize(
    ("entry", "host", "port", "address"),
    [
        ("localhost:11434", "localhost", 11435, "127.0.0.1"),
        ("127.0.0.1:5", "localhost", 6, "127.0.0.1"),
        ("localhost", "evil.example", 80, "127.0.0.1"),
        ("10.0.0.0/8", "models.corp", 443, "192.168.0.1"),
        ("metadata.google.internal", "metadata.google.internal", 80, "169.254.169.254"),
        ("name", "name", 80, "0.0.0.0"),
        ("example", "ollama.example", 80, "10.0.0.1"),
    ],
)
def test_what_it_does_not_allow(allow, entry, host, port, address):
    allow(entry)
    with pytest.raises(OutgoingRefused):
        check_address(host, port, ip_address(address))


ODD = ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.0.1", "1.2.3.4.", "017700000001"]


@pytest.mark.parametrize("host", [*ODD, "１２７.1", "①②⑦.⓪.⓪.①", "[::1", "::g", "a b", "a%2eb", "x/y", "évil@home"])
def test_odd_spellings_are_refused_even_where_loopback_is_allowed(allow, host):
    allow("127.0.0.0/8", "localhost", "::1")
    if host in ("1.2.3.4.", "①②⑦.⓪.⓪.①", "[::1"):  # these are addresses, plainly: they are judged as such
        assert literal(host) is not None
        return
    with pytest.raises(OutgoingRefused):
        literal(host)


@pytest.mark.parametrize("host", ["api.openai.com", "ollama", "my_server", "xn--bcher-kva.example", "bücher.example"])
def test_names_are_names(host):
    assert literal(host) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://localhost:11434/v1", "“localhost:11434” to LLM_ADMIN"),
        ("http://127.0.0.1/v1", "“127.0.0.1:80” to LLM_ADMIN"),
        ("https://[::1]/v1", "“[::1]:443” to LLM_ADMIN"),
        ("http://app.localhost/v1", "OUTGOING_PRIVATE_HOSTS"),
        ("http://169.254.169.254/latest", "where no request goes"),
        ("http://2130706433/", "odd way"),
        ("http://me:word@example.com/", "no user name"),
        ("http://me@example.com/", "no user name"),
        ("file:///etc/passwd", "no web address"),
        ("gopher://example.com/", "no web address"),
        ("http:///v1", "no web address"),
        ("http://[half", "no web address"),
        ("http://example.com:port/", "no web address"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_at_once(allow, url, words):
    allow()
    assert words in outgoing.problem_of(url)


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "http://ollama:11434", "https://8.8.8.8/"])
def test_what_is_not_known_to_be_wrong(allow, url):
    allow()
    assert outgoing.problem_of(url) == ""


@pytest.mark.parametrize("entry", ["http://localhost", "10.0.0.0/99", "a b", "", "::g", "user@host"])
def test_an_entry_that_is_no_host_is_refused(entry):
    with pytest.raises(ValueError, match="OUTGOING_PRIVATE_HOSTS"):
        Settings.model_validate({"OUTGOING_PRIVATE_HOSTS": [entry]})
