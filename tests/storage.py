"""An S3 server of its own process (moto's), for all tests of one worker, and the environment that names it."""

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import cache

import pytest
from between import between

from migrate.stores import buckets

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
PORT = re.compile(rb"Running on http://127\.0\.0\.1:(\d+)")


@contextmanager
def s3_server():
    """The address of a server, as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    try:
        port = next(found[1].decode() for line in process.stderr if (found := PORT.search(line)))
        # What it says of each request is read, so that it never waits for that.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


@pytest.fixture(scope="session")
def s3_address():
    """The address of this worker's server."""
    with s3_server() as address:
        yield address


@pytest.fixture
def s3(s3_address, monkeypatch, request):
    """A bucket of one test's own, on the server that the environment names."""
    name = re.sub(r"[^a-z0-9]+", "", request.node.name.lower())[-50:] + "bucket"
    with environment(monkeypatch, s3_address):
        yield Storage(s3_address, name)


@pytest.fixture
def s3_between(s3, monkeypatch):
    """The same, with a server between that counts and makes faults."""
    with between(s3.address) as state:
        monkeypatch.setenv("AWS_ENDPOINT_URL", state.address)
        monkeypatch.setattr(buckets, "PAUSES", [0.01] * len(buckets.PAUSES))
        yield state


@contextmanager
def environment(monkeypatch, address):
    """The variables that name a storage, and what is opened by them forgotten before and after."""
    for variable in [one for one in os.environ if one.startswith(("AWS_", "GOOGLE_", "AZURE_"))]:
        monkeypatch.delenv(variable)
    for variable, value in {**KEYS, "AWS_ENDPOINT_URL": address}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    buckets.opened.cache_clear()
    yield
    buckets.opened.cache_clear()


@cache
def client(address, service="s3"):
    """Amazon's own client."""
    import botocore.session  # noqa: PLC0415 - slow, and not for all tests

    return botocore.session.Session().create_client(
        service,
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - moto takes any
    )


class Storage:
    """A bucket, filled and emptied by botocore, which is none of ours."""

    def __init__(self, address, bucket):
        self.address, self.bucket, self.url = address, bucket, f"s3://{bucket}/"
        self.client = client(address)
        self.client.create_bucket(Bucket=bucket)

    def put(self, key, body):
        """An object of these bytes."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def put_in_parts(self, key, body):
        """The same, of one part: its e_tag is another."""
        named = {"Bucket": self.bucket, "Key": key}
        upload = {**named, "UploadId": self.client.create_multipart_upload(**named)["UploadId"]}
        tag = self.client.upload_part(**upload, PartNumber=1, Body=body)["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
        self.client.complete_multipart_upload(**upload, MultipartUpload=parts)

    def tag(self, key):
        """The e_tag of an object."""
        return self.client.head_object(Bucket=self.bucket, Key=key)["ETag"]

    def delete(self, key):
        """No object any more."""
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def get(self, key):
        """The bytes of an object."""
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def keys(self):
        """All keys, as the server lists them."""
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def user_of(self, policy):
        """A user with this policy alone: the variables that name it."""
        iam = client(self.address, "iam")
        iam.create_user(UserName=self.bucket)
        iam.put_user_policy(UserName=self.bucket, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=self.bucket)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def fill(self, folder, prefix=""):
        """An object for each file of a folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(prefix + path.relative_to(folder).as_posix(), path.read_bytes())
