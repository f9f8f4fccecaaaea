"""Products, a workflow for them, and batches whose answers are what a test says."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import RequestFactory
from django.utils import timezone

from console.shop.models import Product
from llm_admin.admin.host_actions import host_of
from llm_admin.choices import BatchStatus, RowStatus
from llm_admin.models import Batch, BatchRow, Workflow
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, host_changes, host_review, host_rows
from llm_admin.services.host_maps import FieldMap
from llm_admin.services.host_rows import Host
from tests import factories

SPEC = {
    "inputs": [{"name": "name", "type": "text"}, {"name": "description"}],
    "steps": [
        {"type": "llm", "id": "answer", "text": "{{name}}: {{description}} as JSON with the keys tagline, audience"},
        {
            "type": "parser", "id": "data", "source": "answer", "format": "json",
            "keys": [{"name": "tagline"}, {"name": "audience"}],
        },
    ],
    "outputs": [
        {"name": "tagline", "value": "{{data.tagline}}"},
        {"name": "audience", "value": "{{data.audience}}"},
    ],
}  # fmt: skip
MAPPING = FieldMap({"name": "name", "description": "description"}, {"tagline": "tagline", "audience": "audience"})


def workflow(where: Any, name: str = "Tagline", spec: Any = None) -> Workflow:
    return factories.workflow(where, name=name, spec=WorkflowSpec.model_validate(spec or SPEC))


def products(count: int, **details: Any) -> list[Product]:
    given = {"description": "Good.", "price": "12.50", "category": "home"} | details
    return [Product.objects.create(name=f"Product {number:03}", **given) for number in range(1, count + 1)]


def allow(person: Any, *actions: str) -> Any:
    names = [f"{action}_product" for action in actions or ("view", "change")]
    person.user_permissions.add(*Permission.objects.filter(content_type__app_label="shop", codename__in=names))
    return type(person).objects.get(pk=person.pk)  # permissions are remembered on the object


def host(person: Any, where: Any, sample: Any = None) -> Host:
    request = RequestFactory().get("/admin/shop/product/")
    request.user, request.workspace = person, where
    return host_of(admin.site.get_model_admin(Product), request, sample)


def batch(person: Any, where: Any, rows: list[Product], answers: Any, *, mapping: FieldMap = MAPPING) -> Batch:
    """`answers`: one for each row, or a function of the product. Nothing runs: the answers are put there."""
    made = host_rows.start(
        actor=actors.Actor(where, person, "author"),
        host=host(person, where, rows[0]),
        workflow=Workflow.objects.filter(name="Tagline").first() or workflow(where),
        mapping=mapping,
        ids=[str(one.pk) for one in rows],
    )
    found = list(BatchRow.objects.filter(batch=made).order_by("number"))
    for number, (row, product) in enumerate(zip(found, rows, strict=True)):
        row.output = answers(product) if callable(answers) else answers[number]
        row.status, row.ended_at = RowStatus.SUCCEEDED, timezone.now()
        row.save()
    Batch.objects.filter(pk=made.pk).update(status=BatchStatus.FINISHED, ended_at=timezone.now())
    made.refresh_from_db()
    return made


def both(product: Product) -> dict[str, str]:
    return {"tagline": f"Line for {product.name}", "audience": "Everybody"}


def table() -> list[tuple[Any, ...]]:
    return list(Product.objects.order_by("pk").values_list())


def reviews(batch: Batch, host: Host) -> list[Any]:
    return host_review.review(host, batch, list(BatchRow.objects.filter(batch=batch).order_by("number")))


def proposals(batch: Batch, host: Host) -> list[tuple[str, str, str]]:
    return [(one.name, p.problem, p.proposed_shown) for one in reviews(batch, host) for p in one.proposals]


def ticks(batch: Batch, *fields: str) -> dict[int, tuple[str, ...]]:
    return {row.pk: fields or ("tagline", "audience") for row in BatchRow.objects.filter(batch=batch)}


def apply(batch: Batch, host: Host, actor: actors.Actor, **what: Any) -> Any:
    return host_changes.apply(batch, actor=actor, host=host, **{"ticks": None} | what)
