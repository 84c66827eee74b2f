"""What goes wrong on the way is said in plain words, with what to do; a certificate can be made trusted."""

import errno
import re
import socket
import ssl

import pytest
from captures import Capture
from certificates import Authority, self_signed
from commands import KEY, apart, migrate, rows

from migrate.apply.trouble import Trouble, no_connection, through_proxy

AGAIN = "run the same command again to resume"
BETWEEN = "whether a proxy or a firewall stands in between"


def tls(reason):
    """An error of OpenSSL's, with the name it gives to it."""
    error = ssl.SSLError(1, f"[SSL: {reason}] in its own words (_ssl.c:1006)")
    error.reason = reason
    return error


CASES = [
    pytest.param(
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        "name not found: ph",
        "check the spelling of --host, and this machine's name server (DNS)",
        id="name",
    ),
    pytest.param(
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        "name not looked up: no name server answers for ph",
        "check this machine's network and its name server (DNS)",
        id="name server",
    ),
    pytest.param(
        ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('::1', 443, 0, 0)"),
        "connection refused: nothing listens at ph:443",
        "check that PostHog runs there, and the port in --host",
        id="refused",
    ),
    pytest.param(
        OSError(
            "Multiple exceptions: [Errno 101] Connect call failed ('::1', 443, 0, 0), [Errno 111] Connect call "
            "failed ('127.0.0.1', 443)"
        ),
        "connection refused: nothing listens at ph:443",
        "check that PostHog runs there, and the port in --host",
        id="several addresses",
    ),
    pytest.param(
        TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
        "connection timed out: nothing answers at ph:443",
        f"check --host, and {BETWEEN}",
        id="timed out",
    ),
    pytest.param(
        OSError(errno.ENETUNREACH, "Network is unreachable"),
        "no route: ph:443 cannot be reached from this machine",
        "check this machine's network and VPN",
        id="no route",
    ),
    pytest.param(
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        "connection closed: ph:443 ended it before it had answered",
        f"check http:// or https:// in --host, and {BETWEEN}",
        id="reset",
    ),
    pytest.param(
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:1006)"),
        "connection closed: ph:443 ended it before it had answered",
        f"check http:// or https:// in --host, and {BETWEEN}",
        id="closed within TLS",
    ),
    pytest.param(
        tls("TLSV1_ALERT_PROTOCOL_VERSION"),
        "no TLS with ph:443: tlsv1 alert protocol version",
        f"check the port in --host, and {BETWEEN}",
        id="TLS",
    ),
    pytest.param(
        OSError(errno.EMFILE, "Too many open files"),
        "connection failed: too many open files, at ph:443",
        f"check this machine's network, and {BETWEEN}",
        id="another",
    ),
    pytest.param(
        OSError("odd"),
        "connection failed: no reason given, at ph:443",
        f"check this machine's network, and {BETWEEN}",
        id="without a number",
    ),
]


@pytest.mark.parametrize(("error", "what", "advice"), CASES)
def test_no_connection_in_plain_words(error, what, advice):
    """A word or two, what more is known after a colon, and what to do; nothing of Python's."""
    assert no_connection(error, "ph:443") == Trouble(what, advice)


def test_the_proxy_is_named_as_what_is_in_the_way():
    """And where it is set."""
    found = through_proxy(no_connection(ConnectionRefusedError(errno.ECONNREFUSED, ""), "proxy:3128"))
    assert found == Trouble(
        "no way through the proxy: connection refused, nothing listens at proxy:3128",
        "check the proxy in HTTP_PROXY or HTTPS_PROXY",
    )


def applied(folder, url, **env):
    """A plan of three events sent to a server by a process of its own, with this environment."""
    source = rows(folder / "in" / "a.jsonl", 3)
    planned = migrate("plan", "posthog", source, "--workdir", folder / "w")
    assert planned.returncode == 0
    given = {"POSTHOG_API_KEY": KEY, "SSL_CERT_FILE": ""} | {name: str(value) for name, value in env.items()}
    return apart("apply", folder / "w", "--host", url, "--yes", env=given)


def said(done):
    """The error a command ended with, without where the server was."""
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return re.sub(r"https://127\.0\.0\.1:\d+", "<host>", line)


def test_a_private_authority_is_trusted_with_its_file(tmp_path):
    """Without it nothing leaves, and the message says what is missing and how it is given; then all goes through."""
    authority = Authority(tmp_path)
    with Capture(authority.issue()) as capture:
        refused = applied(tmp_path, capture.url)
        assert (refused.returncode, capture.events) == (4, [])
        assert said(refused) == (
            "error: <host>: its certificate is not trusted, found signed by an authority that this machine does not "
            "know; if it is to be trusted, set SSL_CERT_FILE=/path/to/ca.pem, a file with the authority's certificate, "
            f"then {AGAIN}"
        )
        gone = applied(tmp_path, capture.url, SSL_CERT_FILE="/nowhere/ca.pem")
        assert "(now it is /nowhere/ca.pem, where no file is), then" in said(gone)
        assert capture.events == []
        done = applied(tmp_path, capture.url, SSL_CERT_FILE=authority.file)
        assert (done.returncode, len(capture.events)) == (0, 3)


def test_a_certificate_signed_by_itself_is_trusted_with_its_file(tmp_path):
    """It is its own authority."""
    context, certificate = self_signed(tmp_path)
    with Capture(context) as capture:
        refused = applied(tmp_path, capture.url)
        assert said(refused) == (
            "error: <host>: its certificate is not trusted, found one that it has signed itself; if it is to be "
            f"trusted, set SSL_CERT_FILE=/path/to/ca.pem, a file with that certificate, then {AGAIN}"
        )
        done = applied(tmp_path, capture.url, SSL_CERT_FILE=certificate)
        assert (refused.returncode, done.returncode, len(capture.events)) == (4, 0, 3)


WRONG = [
    pytest.param(
        {"end": "20210101000000Z"},
        "found one that has expired on 2021-01-01; renew it on the server, or set this machine's clock right",
        id="expired",
    ),
    pytest.param(
        {"start": "20980101000000Z"},
        "found one that is not valid yet, but from 2098-01-01 on; set this machine's clock right, or the server's",
        id="not yet valid",
    ),
    pytest.param(
        {"name": "posthog.example.com"},
        "found one of posthog.example.com, and not of 127.0.0.1; give --host a name of the certificate's, or have one "
        "made for 127.0.0.1",
        id="another name",
    ),
]


@pytest.mark.parametrize(("how", "words"), WRONG)
def test_what_is_wrong_with_a_certificate_is_said(tmp_path, how, words):
    """Its authority is trusted, and it is not."""
    authority = Authority(tmp_path)
    with Capture(authority.issue(**how)) as capture:
        refused = applied(tmp_path, capture.url, SSL_CERT_FILE=authority.file)
        assert (refused.returncode, capture.events) == (4, [])
        assert said(refused) == f"error: <host>: its certificate is not trusted, {words}, then {AGAIN}"
