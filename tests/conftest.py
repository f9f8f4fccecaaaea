from __future__ import annotations

import os

import pytest

from llm_admin.choices import Role
from llm_admin.services import actors, workspaces
from llm_admin.tenancy import workspace_scope
from tests import factories

LOOPBACK = ["localhost", "127.0.0.0/8", "::1"]


def pytest_configure() -> None:
    """Hashing passwords as for production would be most of the time that many tests take. Nothing asserts a time."""
    import hypothesis
    from django.conf import settings

    # Where everything is required, the same examples each time: new ones are for whoever can look into them.
    hypothesis.settings.register_profile("console", deadline=None, derandomize=bool(os.environ.get("REQUIRE_SERVICES")))
    hypothesis.settings.load_profile("console")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # The servers of tests are on this machine; processes that tests start read the environment.
    os.environ["OUTGOING_PRIVATE_HOSTS"] = ",".join(LOOPBACK)
    # Each failure is shown at once, unless a test wants to see how it is tried again.
    os.environ["CALL_RETRIES"] = "0"
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "OUTGOING_PRIVATE_HOSTS": LOOPBACK, "CALL_RETRIES": 0}


@pytest.fixture
def workspace(db):
    """The default workspace, as `migrate` leaves it (also after a transactional test emptied the tables)."""
    workspaces.ensure_default()
    return workspaces.default()


@pytest.fixture
def scope(workspace):
    with workspace_scope(workspace):
        yield workspace


@pytest.fixture
def system(workspace):
    return actors.system(workspace)


@pytest.fixture
def member(workspace):
    """member(role="author", workspace=..., username=...) -> a staff user who is a member."""

    def make(role: str = Role.AUTHOR, username: str = "", where=None):
        return factories.member(where or workspace, role=role, username=username)

    return make


@pytest.fixture
def outsider(db):
    return factories.user("outsider")


@pytest.fixture
def login(client):
    """login(user) -> a Django test client that is logged in as them."""

    def make(user):
        client.force_login(user, backend="llm_admin.auth.WorkspaceBackend")
        return client

    return make


@pytest.fixture(autouse=True)
def _fresh_catalogue():
    """Rows of the test before are gone without a signal."""
    from django.core.cache import cache

    from llm_admin.services import catalogue

    catalogue.forget()
    cache.clear()  # answers of the test before
    yield
    catalogue.forget()
