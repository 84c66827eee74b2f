"""Who asks a storage: credentials as its own tools find them, in the environment, profiles and roles of the machine."""

import http.client
import importlib
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from migrate.errors import UsageError

_FRESH: Final = timedelta(minutes=5)
"""How long a key that is asked for may be used before it is asked for again; botocore renews it in time."""
METADATA: Final = ["169.254.169.254"]
"""Where a machine of a cloud is told of its roles."""
_PATIENCE: Final = 1.0
"""Seconds; where there is one, it is at hand."""
_OF_GOOGLE: Final = ("/", {"Metadata-Flavor": "Google"})
_OF_AZURE: Final = ("/metadata/instance?api-version=2021-02-01", {"Metadata": "true"})
"""What is asked, and with which headers; others' machines answer with an error, or not at all."""
_MORE: Final = "or say that all may read it with {}_SKIP_SIGNATURE=true (docs/storage.md)"
_YES: Final = {"1", "true", "yes", "on", "y"}


def is_set(name: str) -> bool:
    """Return whether a variable says yes."""
    return os.environ.get(name, "").strip().lower() in _YES


class Aws:
    """AWS's credentials, region and endpoint, found by botocore as the `aws` command finds them."""

    def __init__(self, where: str) -> None:
        """Raise UsageError where there are none, or the profile is none; `where` is what is to be read."""
        self.region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        self.endpoint = endpoint("S3")
        self.provider: Callable[[], Mapping[str, Any]] | None = None
        """What gives the key that is valid now; None where nothing is signed, or the environment has it."""
        self.is_signed = not is_set("AWS_SKIP_SIGNATURE")
        # botocore takes 25 MB, and a tenth of a second; what the environment says goes before all else there, too.
        has_key = os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not (self.is_signed and has_key and (self.region or self.endpoint)):
            self._look(where)

    def _look(self, where: str) -> None:
        """Look for what the environment does not say itself."""
        try:
            botocore: Any = importlib.import_module("botocore.session")
            errors: Any = importlib.import_module("botocore.exceptions")
        except ImportError:
            raise UsageError(missing(where)) from None
        try:
            session = botocore.Session()
            self.region = self.region or session.get_config_variable("region")
            self.endpoint = self.endpoint or session.get_scoped_config().get("endpoint_url")
            found = session.get_credentials() if self.is_signed else None
        except errors.BotoCoreError as error:
            raise UsageError(
                f"{where}: AWS's configuration cannot be used, {error}; see to AWS_PROFILE"
            ) from None
        if found is None and self.is_signed:
            raise UsageError(
                f"{where}: no AWS credentials were found in the environment, a profile or a role of this machine; "
                f"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, {_MORE.format('AWS')}"
            )
        self.provider = None if found is None else _provider(found)


def _provider(credentials: Any) -> Callable[[], Mapping[str, Any]]:  # noqa: ANN401 - botocore's
    """Return what gives obstore the key that is valid now."""

    def now() -> Mapping[str, Any]:
        found = credentials.get_frozen_credentials()
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": datetime.now(UTC) + _FRESH,
        }

    return now


def endpoint(service: str) -> str | None:
    """Return the endpoint of AWS's that the environment names, a compatible storage's."""
    names = (f"AWS_ENDPOINT_URL_{service}", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return next((found for name in names if (found := os.environ.get(name))), None)


_GOOGLE: Final = (
    *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH"),
    *("GOOGLE_SERVICE_ACCOUNT_KEY", "SERVICE_ACCOUNT"),
)
_AZURE: Final = (
    *("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_MASTER_KEY"),
    *("AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_TOKEN"),
    *("AZURE_CLIENT_SECRET", "AZURE_STORAGE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"),
    *("AZURE_IDENTITY_ENDPOINT", "AZURE_MSI_ENDPOINT", "AZURE_USE_AZURE_CLI", "AZURE_STORAGE_USE_EMULATOR"),
)


def check_google(where: str) -> None:
    """Raise UsageError where nothing says who asks Google, so that no metadata service is waited for in vain."""
    usual = Path(os.environ.get("CLOUDSDK_CONFIG", "~/.config/gcloud")).expanduser()
    is_known = any(map(os.environ.get, _GOOGLE)) or (usual / "application_default_credentials.json").exists()
    if not (is_known or is_set("GOOGLE_SKIP_SIGNATURE") or _has_roles(*_OF_GOOGLE)):
        raise UsageError(
            f"{where}: no Google credentials were found; set GOOGLE_APPLICATION_CREDENTIALS to a service account's "
            f"file, or run 'gcloud auth application-default login', {_MORE.format('GOOGLE')}"
        )


def check_azure(where: str) -> None:
    """Raise UsageError where nothing says which account is meant, or who asks Azure."""
    if not (os.environ.get("AZURE_STORAGE_ACCOUNT_NAME") or is_set("AZURE_STORAGE_USE_EMULATOR")):
        raise UsageError(
            f"{where}: AZURE_STORAGE_ACCOUNT_NAME is not set; set it to the account of the container"
        )
    if not (any(map(os.environ.get, _AZURE)) or is_set("AZURE_SKIP_SIGNATURE") or _has_roles(*_OF_AZURE)):
        raise UsageError(
            f"{where}: no Azure credentials were found; set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or "
            f"AZURE_USE_AZURE_CLI=true after 'az login', {_MORE.format('AZURE')}"
        )


def _has_roles(path: str, headers: Mapping[str, str]) -> bool:
    """Return whether this machine is one of that cloud, which gives its roles' credentials."""
    link = http.client.HTTPConnection(METADATA[0], timeout=_PATIENCE)
    try:
        link.request("GET", path, headers=dict(headers))
        answer = link.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
    is_google = "Metadata-Flavor" in headers
    return answer.headers.get("Metadata-Flavor") == "Google" if is_google else answer.status == 200  # noqa: PLR2004 - of HTTP


def missing(where: str) -> str:
    """Return that the libraries for storages are not installed, with what to do."""
    return (
        f"{where}: what lies in a storage is read with the extra 'cloud', which is not installed; "
        "pip install '.[cloud]' in migrate's folder"
    )
