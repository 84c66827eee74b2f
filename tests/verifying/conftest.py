"""What the tests of verifying share: an import of which a sandbox has all, and as many questions as it takes."""

import pytest
from imported import EVENTS, Whole, sent

from migrate.asking import api
from migrate.sandbox.server import Sandbox


@pytest.fixture(autouse=True)
def _no_limit(monkeypatch):
    """As many questions a second as it takes."""
    monkeypatch.setattr(api, "A_SECOND", 10_000.0)


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """An import and the sandbox that has all of it."""
    folder = tmp_path_factory.mktemp("import")
    with Sandbox(folder / "sandbox") as sandbox, sent(folder / "work", sandbox, EVENTS) as checkpoint:
        yield Whole(checkpoint, sandbox, folder / "sandbox")
