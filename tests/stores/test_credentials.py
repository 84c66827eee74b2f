"""Who asks is found where the storages' own tools find it; where nobody is, that is said at once."""

import json

import pytest

from migrate.errors import UsageError
from migrate.stores import credentials
from migrate.stores.buckets import bucket_of
from migrate.stores.credentials import Aws
from migrate.stores.urls import parsed

pytestmark = pytest.mark.usefixtures("s3")


def test_aws_is_asked_as_its_own_command_asks(tmp_path, monkeypatch):
    """A profile with its region and endpoint, and one whose key a program tells; the environment goes before."""
    told = tmp_path / "told.json"
    told.write_text(json.dumps({"Version": 1, "AccessKeyId": "told", "SecretAccessKey": "x"}))
    (tmp_path / "config").write_text(
        "[profile night]\nregion = eu-west-3\nendpoint_url = http://127.0.0.1:1\n"
        f"[profile told]\ncredential_process = cat {told}\n"
    )
    (tmp_path / "keys").write_text("[night]\naws_access_key_id = of-night\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    found = Aws("s3://b")
    assert (found.provider, found.is_signed, found.region) == (None, True, "us-east-1")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert Aws("s3://b").provider()["access_key_id"] == "testing"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "night")
    found = Aws("s3://b")
    assert (found.region, found.endpoint) == ("eu-west-3", "http://127.0.0.1:1")
    assert found.provider()["access_key_id"] == "of-night"
    monkeypatch.setenv("AWS_PROFILE", "told")
    assert Aws("s3://b").provider()["access_key_id"] == "told"
    monkeypatch.setenv("AWS_PROFILE", "none")
    with pytest.raises(
        UsageError, match=r"s3://b: AWS's configuration cannot be used, .*none.*; see to AWS_PROF"
    ):
        Aws("s3://b")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "s3://b/",
            (
                "s3://b: no AWS credentials were found in the environment, a profile or a role of this machine; set "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or say that all may read it with "
                "AWS_SKIP_SIGNATURE=true (docs/storage.md)"
            ),
        ),
        (
            "gs://b/",
            (
                "gs://b: no Google credentials were found; set GOOGLE_APPLICATION_CREDENTIALS to a service account's "
                "file, or run 'gcloud auth application-default login', or say that all may read it with "
                "GOOGLE_SKIP_SIGNATURE=true (docs/storage.md)"
            ),
        ),
        (
            "az://b/",
            (
                "az://b: no Azure credentials were found; set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or "
                "AZURE_USE_AZURE_CLI=true after 'az login', or say that all may read it with AZURE_SKIP_SIGNATURE=true "
                "(docs/storage.md)"
            ),
        ),
    ],
)
def test_where_nobody_is_found_who_asks(monkeypatch, tmp_path, url, message):
    """Nothing is waited for: each way to be somebody is named."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(credentials, "METADATA", ["127.0.0.1:9"])
    with pytest.raises(UsageError) as raised:
        bucket_of(parsed(url)) if not url.startswith("az") else _azure(monkeypatch, url)
    assert str(raised.value) == message
    monkeypatch.setenv({"s": "AWS", "g": "GOOGLE", "a": "AZURE"}[url[0]] + "_SKIP_SIGNATURE", "true")
    bucket_of(parsed(url))


def _azure(monkeypatch, url):
    with pytest.raises(
        UsageError, match="AZURE_STORAGE_ACCOUNT_NAME is not set; set it to the account of the"
    ):
        bucket_of(parsed(url))
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    bucket_of(parsed(url))
