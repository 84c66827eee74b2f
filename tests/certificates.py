"""Certificates for tests, made by the openssl command: an authority of our own, and what it issues."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_CONFIG = """
[ca]
default_ca = ours
[ours]
dir = {folder}
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def _openssl(*words):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificates")
    subprocess.run([openssl, *map(str, words)], check=True, capture_output=True)


def self_signed(folder, name="127.0.0.1"):
    """A TLS server's context with a certificate that it has signed itself, and the certificate's file."""
    key, certificate = folder / "own.key", folder / "own.pem"
    words = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={_kind(name)}"]
    _openssl("req", "-x509", *_KEY, *words, "-keyout", key, "-out", certificate)
    return _context(certificate, key), certificate


class Authority:
    """An authority that no machine knows; `file` is its certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file, self._key = folder / "ca.pem", folder / "ca.key"
        _openssl("req", "-x509", *_KEY, "-subj", "/CN=ours", "-keyout", self._key, "-out", self.file)
        (folder / "index").write_text("")
        (folder / "serial").write_text("01")
        (folder / "ca.cnf").write_text(_CONFIG.format(folder=folder))

    def issue(self, name="127.0.0.1", start="20200101000000Z", end="20990101000000Z"):
        """A TLS server's context with a certificate of this name, valid from `start` to `end`."""
        request, key, certificate = (self._folder / f"leaf.{end}" for end in ("csr", "key", "pem"))
        extensions = self._folder / "leaf.cnf"
        extensions.write_text(f"subjectAltName={_kind(name)}\nauthorityKeyIdentifier=keyid\n")
        _openssl(
            "req", "-new", *_KEY, "-subj", f"/CN={name.partition(',')[0]}", "-keyout", key, "-out", request
        )
        how = ["-batch", "-notext", "-config", self._folder / "ca.cnf", "-extfile", extensions]
        signer = ["-cert", self.file, "-keyfile", self._key, "-startdate", start, "-enddate", end]
        _openssl("ca", *how, *signer, "-in", request, "-out", certificate)
        return _context(certificate, key)


def _kind(name):
    return f"{'IP' if name[0].isdigit() else 'DNS'}:{name}"


def _context(certificate, key):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
