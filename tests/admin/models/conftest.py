from __future__ import annotations

import pytest

from llm_admin.choices import Role
from llm_admin.models import Connection, Deployment, LanguageModel


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR, "olga"))


@pytest.fixture
def acme(workspace, scope):
    return Connection.objects.create(workspace=workspace, name="Acme", provider="openai", api_key="sk-1")


@pytest.fixture
def fast(workspace, acme):
    """The model “fast” with one deployment."""
    model = LanguageModel.objects.create(workspace=workspace, alias="fast", name="Fast")
    Deployment.objects.create(model=model, connection=acme, provider_model="acme-1")
    return model


@pytest.fixture
def place(fast):
    return fast.deployments.get()
