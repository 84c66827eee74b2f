"""What a certificate says is asked of a server without a word, and never in the way."""

import asyncio
import ssl

from certificates import Authority, self_signed

from migrate.apply.certificates import Certificate, certificate_of


async def asked(tls, heard=None):
    """What is found of a server's certificate."""

    async def handle(reader, writer):
        if heard is not None:
            heard.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        return await certificate_of("127.0.0.1", server.sockets[0].getsockname()[1])


def test_a_certificate_of_a_known_authority_says_names_and_days(tmp_path, monkeypatch):
    """Though it is of another name and time; nothing is sent."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    names = [f"{letter}.example.com" for letter in "abcdef"]
    tls = authority.issue(",DNS:".join(names), "20200101000000Z", "20210203000000Z")
    heard = []
    found = asyncio.run(asked(tls, heard))
    shown = "a.example.com, b.example.com, c.example.com, d.example.com and 2 more"
    assert found == Certificate(shown, "2020-01-01", "2021-02-03")
    assert heard in ([], [b""])
    own, _ = self_signed(tmp_path)
    assert asyncio.run(asked(own)) == Certificate()


def test_where_nobody_answers_nothing_is_known():
    """Nor where what answers is no TLS."""
    assert asyncio.run(asked(None)) == Certificate()
    assert asyncio.run(certificate_of("127.0.0.1", 9)) == Certificate()
    assert ssl.create_default_context().check_hostname
