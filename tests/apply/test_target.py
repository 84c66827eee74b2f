from dataclasses import replace

import pytest
from workdirs import delivery, events, planned

from migrate.apply.target import (
    bind,
    check_proxy,
    checked_key,
    host_url,
    is_cloud,
    is_key_of,
    is_loopback,
    place_of,
)
from migrate.errors import Refused, UsageError


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("us", "https://us.i.posthog.com"),
        (" EU \n", "https://eu.i.posthog.com"),
        ("https://us.i.posthog.com/", "https://us.i.posthog.com"),
        ("http://eu.i.posthog.com", "https://eu.i.posthog.com"),
        ("https://app.posthog.com/", "https://us.i.posthog.com"),
        ("https://us.posthog.com/project/1", "https://us.i.posthog.com"),
        ("HTTPS://EU.PostHog.com", "https://eu.i.posthog.com"),
        ("https://PostHog.Example.com:443//", "https://posthog.example.com"),
        ("http://localhost:8000/relay/", "http://localhost:8000/relay"),
        ("http://h:80", "http://h"),
        ("http://h:443", "http://h:443"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://bücher.example", "https://bücher.example"),
        ("localhost:8000", "http://localhost:8000"),
        ("Localhost", "http://localhost"),
        (" 127.0.0.1:8000/relay/\n", "http://127.0.0.1:8000/relay"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("posthog.example.com", "https://posthog.example.com"),
        ("posthog.example.com:8443/relay", "https://posthog.example.com:8443/relay"),
        ("us.i.posthog.com", "https://us.i.posthog.com"),
        ("app.posthog.com", "https://us.i.posthog.com"),
    ],
)
def test_host_url(host, url):
    """Regions, app addresses and URLs become one spelling of the address to send below."""
    assert host_url(host) == url
    assert host_url(url) == url


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("", "neither us, eu nor an http or https URL, found ''"),
        ("mars", "neither us, eu nor an http or https URL, found 'mars'"),
        ("posthog:8000", "neither us, eu nor an http or https URL, found 'posthog:8000'"),
        ("192.168.0.7:8000", "neither us, eu nor an http or https URL, found '192.168.0.7:8000'"),
        ("[fe80::1]:8000", "neither us, eu nor an http or https URL, found '[fe80::1]:8000'"),
        ("localhost:port", "neither us, eu nor an http or https URL, found 'localhost:port'"),
        ("ftp://h", "neither us, eu nor an http or https URL, found 'ftp://h'"),
        ("https://", "neither us, eu nor an http or https URL, found 'https://'"),
        ("https://a b", "neither us, eu nor an http or https URL, found 'https://a b'"),
        ("phc_secret", "neither us, eu nor an http or https URL, found '***'"),
        ("https://h:port", "not a URL, found 'https://h:port'"),
        ("https://[::1", "not a URL, found 'https://[::1'"),
        ("https://a..b", "not a URL, found 'https://a..b'"),
        (f"https://{'a' * 64}.b", f"not a URL, found 'https://{'a' * 64}.b'"),
        ("https://me:word@h/", "a URL with credentials in it, found 'https://***@h/'"),
        ("me:word@h", "neither us, eu nor an http or https URL, found '***@h'"),
        ("https://h/?a=1", "a URL with a query or fragment, found 'https://h/?a=1'"),
        ("https://h/#a", "a URL with a query or fragment, found 'https://h/#a'"),
    ],
)
def test_wrong_host_is_refused(host, problem):
    """The message names what is wrong and shows no password and no key."""
    with pytest.raises(UsageError) as raised:
        host_url(host)
    assert str(raised.value) == f"--host: {problem}; give us, eu or a URL such as https://posthog.example.com"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://us.i.posthog.com", True),
        ("https://eu.i.posthog.com", True),
        ("https://posthog.com", True),
        ("https://posthog.com.example.org", False),
        ("https://notposthog.com", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_is_cloud(url, expected):
    """Only addresses of PostHog itself are Cloud."""
    assert is_cloud(url) is expected


@pytest.mark.parametrize(
    "key", ["phc_abc", "a-key-of-an-old-project", "phc_a-b_c", "an.old~token:1/2+3", "k" * 64]
)
def test_key_is_trimmed(key):
    """A pasted newline does not travel: capture would take it and lose the events later."""
    assert checked_key(f" {key}\r\n") == key


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (" \n", "is empty"),
        ("phx_personal", "is a personal or secret key, which capture refuses, found phx_…"),
        ("phs_secret", "is a personal or secret key, which capture refuses, found phs_…"),
        ("phc_" + "k" * 61, "is longer than 64 bytes, found 65"),
        ("phc_clé", "holds a space, a control character or a letter that is not ASCII"),
        ("phc_\udce9", "holds a space, a control character or a letter that is not ASCII"),
        ("phc_a\0b", "holds a space, a control character or a letter that is not ASCII"),
        ("phc_a phc_b", "holds a space, a control character or a letter that is not ASCII"),
        ("export phc_a", "holds a space, a control character or a letter that is not ASCII"),
        ("phc_…", "holds a space, a control character or a letter that is not ASCII"),
        ('"phc_abc"', 'holds a character that no key has, found "'),
        ("'phc_abc'", "holds a character that no key has, found '"),
        ("POSTHOG_API_KEY=phc_abc", "holds a character that no key has, found ="),
        ("$POSTHOG_API_KEY", "holds a character that no key has, found $"),
        ("<phc_abc>", "holds a character that no key has, found <"),
        ("phc_a,phc_b", "holds a character that no key has, found ,"),
        ("phc_", "is the beginning of a key alone, found 'phc_' and no letter or digit after it"),
        ("phc_...", "is the beginning of a key alone, found 'phc_' and no letter or digit after it"),
    ],
)
def test_wrong_key_is_refused_unseen(key, problem):
    """What capture would refuse, or take and forget, is refused here; the message never shows the key."""
    with pytest.raises(UsageError) as raised:
        checked_key(key)
    message = f"--api-key: {problem}; give the project's own key (phc_…) from the project's settings"
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8010", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("http://10.0.0.1", False),
    ],
)
def test_loopback(url, expected):
    """A proxy is not asked for a server on this machine."""
    assert is_loopback(url) is expected


def test_another_target_or_key_is_refused(tmp_path):
    """A workdir sends to one project; the key itself is not kept."""
    with planned(tmp_path, events(1)) as checkpoint:
        bind(checkpoint, delivery("http://a"))
        bind(checkpoint, delivery("http://b"))
        other_key = replace(delivery("http://a"), key="phc_other")
        with pytest.raises(Refused, match="--api-key: this workdir began to send with another key"):
            bind(checkpoint, other_key)
        other_target = replace(delivery("http://a"), target="https://eu.i.posthog.com")
        with pytest.raises(
            Refused, match="--host: this workdir sends to sandbox, found https://eu.i.posthog.com"
        ):
            bind(checkpoint, other_target)
    assert b"phc_secret" not in (tmp_path / "checkpoint.sqlite").read_bytes()


def test_a_workdir_knows_its_key_again(tmp_path):
    """By the hash alone; one that was not sent knows none."""
    with planned(tmp_path, events(1)) as checkpoint:
        assert not is_key_of(checkpoint.facts(), "phc_secret")
        bind(checkpoint, delivery("http://a"))
        facts = checkpoint.facts()
    assert is_key_of(facts, "phc_secret")
    assert not is_key_of(facts, "phc_another")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://ph.example.com/relay", "ph.example.com:443"),
        ("http://[::1]:8000", "::1:8000"),
        ("http://ph", "ph:80"),
    ],
)
def test_the_place_of_a_url(url, place):
    """Its host and port, also where the scheme says the port."""
    assert place_of(url) == place


@pytest.mark.parametrize(
    ("proxy", "found"),
    [
        ("localhost:3128", "localhost:3128"),
        ("socks5://me:secret@proxy:1080", "socks5://***@proxy:1080"),
        ("http://proxy:99999", "http://proxy:99999"),
    ],
)
def test_a_proxy_that_is_none_is_refused(monkeypatch, proxy, found):
    """Before anything is done, its password unseen; where it is not asked it does not matter."""
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("no_proxy", "inside.example.com")
    with pytest.raises(UsageError) as raised:
        check_proxy("https://ph.example.com")
    assert str(raised.value) == (
        f"HTTPS_PROXY: not the URL of an HTTP proxy, found '{found}'; give http://host:port, or unset it"
    )
    check_proxy("http://ph.example.com")
    check_proxy("https://inside.example.com")
    check_proxy("https://127.0.0.1")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    check_proxy("https://ph.example.com")


@pytest.mark.parametrize(("typed", "kept"), [("v0", "v1"), ("v1", "v0")])
def test_a_workdir_keeps_to_its_protocol(tmp_path, typed, kept):
    """Another one that is typed is refused, the same one and none are not."""
    how = delivery("https://posthog.example.com", protocol=typed)
    with planned(tmp_path, events(3)) as checkpoint:
        bind(checkpoint, how)
        checkpoint.note(protocol=kept)
        with pytest.raises(Refused) as refused:
            bind(checkpoint, how)
        assert str(refused.value) == (
            f"--protocol: this workdir is sent over {kept}, found {typed}; leave the option out, or plan into another "
            "--workdir"
        )
        for same in (kept, "auto"):
            bind(checkpoint, replace(how, protocol=same))
