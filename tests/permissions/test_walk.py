"""Walks the whole URL configuration with real ids, as everybody: nothing leaks, nothing changes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from console.shop.models import Product
from llm_admin.admin import batch_upload
from llm_admin.choices import Role
from llm_admin.models import (
    Approval,
    Batch,
    BatchRow,
    Budget,
    Connection,
    Deployment,
    DeploymentPrice,
    InteractionLog,
    InteractionText,
    LanguageModel,
    Membership,
    Monitor,
    MonitorDelivery,
    PromptTest,
    Run,
)
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import batch_files, documents, planning
from llm_admin.services.actors import Actor
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.permissions.declarations import ADMIN, AUTHOR, NOTHING, OPERATOR, OWN, PAGES, SUPERUSER, VIEWER, Page

PLANTED = "PLANTEDWORD"
COMPARISON = "c0ffee00"
NOT_WATCHED = {"sessions", "admin"}  # a login makes rows there
AT_ROOT = ("root", "healthz", "readyz", "metrics")
RANK = {NOTHING: 0, VIEWER: 1, AUTHOR: 2, OPERATOR: 3, ADMIN: 4}
pytestmark = pytest.mark.django_db


def named_patterns() -> Iterator[str]:
    def walk(resolver) -> Iterator[URLPattern]:
        for pattern in resolver.url_patterns:
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern)
            else:
                yield pattern

    for pattern in walk(get_resolver()):
        if pattern.name:
            yield pattern.name


def test_every_url_declares_who_may_do_what():
    found = set(named_patterns())
    assert found - set(PAGES) == set(), "undeclared: decide who may use it, and add it to declarations.py"
    assert set(PAGES) - found == set(), "declared, but there is no such URL"


@pytest.fixture
def world():
    """A workspace full of texts that hold PLANTED, owned by its admin; and everybody else."""
    workspace = factories.workspace(f"{PLANTED} workspace")
    other = factories.workspace("Other")
    owner = factories.member(workspace, role=Role.ADMIN, username="owner")
    owner.is_superuser = True
    owner.save()
    people = {
        "viewer": factories.member(workspace, role=Role.VIEWER, username="viewer"),
        "viewer elsewhere": factories.member(other, role=Role.VIEWER, username="viewer2"),
        "admin elsewhere": factories.member(other, role=Role.ADMIN, username="admin2"),
        "outsider": factories.user("outsider"),
    }
    with workspace_scope(workspace):
        objects = plant(workspace, owner)
    yield {"owner": owner, "people": people, "objects": objects, "workspace": workspace}
    batch_upload.forget(objects["upload"])


def plant(workspace, owner) -> dict[str, object]:
    actor = Actor(workspace, owner, Role.ADMIN)
    prompt = factories.prompt(workspace, name=f"{PLANTED} prompt", spec=factories.chat_spec(f"{PLANTED} {{{{topic}}}}"))
    spec = WorkflowSpec.model_validate(
        {
            "inputs": [{"name": "topic"}],
            "steps": [{"type": "llm", "id": "a", "title": PLANTED, "text": f"{PLANTED} {{{{topic}}}}"}],
        }
    )
    workflow = factories.workflow(workspace, name=f"{PLANTED} workflow", spec=spec)
    connection = Connection.objects.create(
        workspace=workspace, name=f"{PLANTED} connection", provider="openai", base_url="http://127.0.0.1:9/v1"
    )
    model = LanguageModel.objects.create(workspace=workspace, alias="planted", name="A model")
    deployment = Deployment.objects.create(model=model, connection=connection, provider_model=f"{PLANTED}-1")
    price = DeploymentPrice.objects.create(deployment=deployment, input_per_million=1, output_per_million=2)
    version = documents.version_of(prompt)
    run = planning.plan_prompt(
        actor=actor,
        prompt=prompt,
        spec=documents.spec_of(version),
        version=version,
        inputs={"topic": PLANTED},
        source="studio",
    )
    test = PromptTest.objects.create(prompt=prompt, name=PLANTED, inputs={"topic": PLANTED})
    run.test, run.client_key = test, f"{owner.pk}:{COMPARISON}:0.{test.pk}.0"
    run.status, run.output, run.ended_at, run.started_at = "succeeded", PLANTED, timezone.now(), timezone.now()
    run.save(force_insert=True)
    log = InteractionLog.objects.create(
        workspace=workspace, created_at=timezone.now(), status="succeeded", source="studio", run=run, prompt=prompt,
        prompt_version=version, model=model, deployment=deployment, user=owner, latency_ms=5,
    )  # fmt: skip
    InteractionText.objects.create(
        log_id=log.pk, workspace=workspace, messages=[{"role": "user", "content": PLANTED}], answer=PLANTED
    )
    approval = Approval.objects.create(
        workspace=workspace, run=run, path="1", step_id="a", title=PLANTED, question=PLANTED, proposed=PLANTED,
        role="author", asked_at=timezone.now(),
    )  # fmt: skip
    return {
        "approval": approval.pk,
        "template": "no-such-template",
        "prompt": prompt.pk,
        "prompt_slug": prompt.slug,
        "workflow": workflow.pk,
        "connection": connection.pk,
        "budget": Budget.objects.create(workspace=workspace, name=f"{PLANTED} budget", limit=1, owner=owner).pk,
        **plant_monitor(workspace, prompt),
        "languagemodel": model.pk,
        "deployment": deployment.pk,
        "price": price.pk,
        "run": run.pk,
        "log": log.pk,
        "membership": Membership.objects.get(user=owner).pk,
        "workspace": workspace.pk,
        "user": owner.pk,
        "group": Group.objects.create(name=f"{PLANTED} group").pk,
        "content_type": ContentType.objects.get_for_model(prompt).pk,
        "app_label": "llm_admin",
        "planted_word": PLANTED,
        "step_type": "llm",
        "number": 1,
        "prompt_test": test.pk,
        "comparison": COMPARISON,
        "key": "a-key",
        "spec": json.dumps(version.spec),
        **plant_batch(actor, workflow),
        **plant_product(actor, workflow),
    }


def plant_monitor(workspace, prompt) -> dict[str, object]:
    monitor = Monitor.objects.create(
        workspace=workspace, name=f"{PLANTED} monitor", note=PLANTED, measure="calls", alarm=1, prompt=prompt,
        webhook_url=f"https://{PLANTED}.example.org/", webhook_secret=PLANTED,
    )  # fmt: skip
    delivery = MonitorDelivery.objects.create(
        monitor=monitor, channel="mail", to=PLANTED, title=PLANTED, payload={"subject": PLANTED, "body": PLANTED},
        created_at=timezone.now(), status="given_up",
    )  # fmt: skip
    return {"monitor": monitor.pk, "delivery": delivery.pk}


def plant_batch(actor, workflow) -> dict[str, object]:
    rows = f"topic\n{PLANTED}\n"
    table = batch_files.read_text(rows)
    batch = Batch.objects.create(
        workspace=actor.workspace, workflow=workflow, workflow_version=documents.version_of(workflow),
        title=f"{PLANTED} batch", columns=table.columns, spec={}, total=1, status="finished", owner=actor.user,
        created_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip
    values = {"topic": PLANTED}
    BatchRow.objects.create(batch=batch, number=1, inputs=values, original=values, output=PLANTED, status="succeeded")
    upload = batch_upload.keep(actor, batch_upload.Upload(workflow.pk, f"{PLANTED}.csv", table))
    return {"batch": batch.pk, "upload": upload, "rows": rows}


def plant_product(actor, workflow) -> dict[str, object]:
    product = Product.objects.create(name=f"{PLANTED} product", description=PLANTED, price=1, category="home")
    batch = Batch.objects.create(
        workspace=actor.workspace, workflow=workflow, workflow_version=documents.version_of(workflow), kind="objects",
        title=f"{PLANTED} products", spec={}, total=1, status="finished", owner=actor.user, created_at=timezone.now(),
        ended_at=timezone.now(), content_type=ContentType.objects.get_for_model(Product), outputs={"tagline": ""},
    )  # fmt: skip
    BatchRow.objects.create(
        batch=batch, number=1, inputs={}, original={"tagline": ""}, object_id=str(product.pk), output=PLANTED,
        status="succeeded",
    )  # fmt: skip
    return {"product": product.pk, "product_batch": batch.pk}


def address(name: str, page: Page, objects: dict[str, object]) -> str:
    kwargs = {argument: objects[what] for argument, what in page.arguments.items()}
    path = reverse(name if name in AT_ROOT else f"admin:{name}", kwargs=kwargs)
    query = "&".join(f"{key}={objects[what]}" for key, what in page.query.items())
    return f"{path}?{query}" if query else path


def browser(person) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(person, backend="llm_admin.auth.WorkspaceBackend")
    return client


def body(response) -> str:
    if response.streaming:
        return b"".join(response.streaming_content).decode(errors="replace")
    return response.content.decode(errors="replace")


def rows() -> dict[str, list]:
    watched = [m for m in apps.get_models() if m._meta.app_label not in NOT_WATCHED]
    found = {m._meta.label: sorted(map(repr, m._base_manager.values())) for m in watched}
    found["auth.User"] = sorted(
        repr(v) for v in get_user_model().objects.values("id", "username", "password", "is_superuser")
    )
    return found


def may_read(person: str, page: Page) -> bool:
    return (
        person == "viewer"
        and page.reads not in (OWN, SUPERUSER)
        and RANK[page.reads] <= RANK[VIEWER]
        and page.reads != NOTHING
    )


@pytest.mark.slow  # by their number
@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_owner_gets_what_is_declared(world, name):
    client = browser(world["owner"])
    client.post(
        reverse("admin:llm_admin_workspace_switch"), {"workspace": world["workspace"].pk, "id": world["workspace"].pk}
    )
    assert client.get(address(name, PAGES[name], world["objects"])).status_code == PAGES[name].get


@pytest.mark.slow  # by their number
@pytest.mark.parametrize("name", sorted(PAGES))
def test_nobody_else_sees_a_text_or_changes_a_row(world, name):
    page, before = PAGES[name], rows()
    url = address(name, page, world["objects"])
    for person, user in world["people"].items():
        client = browser(user)
        text = body(client.get(url))
        if may_read(person, page):
            assert PLANTED in text or page.get != 200 or name in HOLDS_NO_TEXT, person
        else:
            assert PLANTED not in text.replace(f"{PLANTED} workspace", ""), person
            assert person == "viewer" or PLANTED not in text, person
        data = {key: world["objects"].get(what, what) for key, what in page.post.items()}
        answer = client.post(url, data | {"input-topic": "x"})
        assert answer.status_code < 500, person
        if not may_read(person, page):
            assert PLANTED not in body(answer).replace(f"{PLANTED} workspace", ""), person
        assert rows() == before, person


HOLDS_NO_TEXT = {
    "index",
    "llm_admin_languagemodel_history",
    "llm_admin_numbers_csv",
    "search",
    "llm_admin_workflow_variables",
    "llm_admin_prompt_template",  # the names of the variables
    "llm_admin_batch_template_csv",
    "llm_admin_batch_template_xlsx",
}


@pytest.mark.slow
def test_nobody_who_is_not_logged_in_gets_anything(world):
    for name, page in PAGES.items():
        answer = Client().get(address(name, page, world["objects"]))
        assert PLANTED not in body(answer)
        assert answer.status_code in (200, 301, 302, 401, 403, 404, 405)


def test_the_planted_run_is_really_there(world):
    with workspace_scope(world["workspace"]):
        assert Run.objects.get().output == PLANTED
