"""Mapped and started: what is read, from which fields, and what is refused."""

from __future__ import annotations

import pytest

from console.shop.models import Product
from llm_admin.choices import BatchKind
from llm_admin.exceptions import InvalidInput, PermissionRefused
from llm_admin.models import Batch, BatchRow, RowMapping
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, documents, host_maps, host_rows
from llm_admin.services.host_maps import FieldMap
from tests import shop


def test_fields_are_guessed_by_their_names(author, scope):
    spec = WorkflowSpec.model_validate(shop.SPEC)
    guessed = host_maps.guess(shop.host(author, scope), spec)
    assert (guessed.inputs, guessed.outputs) == (shop.MAPPING.inputs, shop.MAPPING.outputs)


def test_what_a_workflow_gives_back():
    named = WorkflowSpec.model_validate(shop.SPEC)
    assert [one.name for one in host_maps.outcomes(named)] == ["tagline", "audience"]
    keys = WorkflowSpec.model_validate(shop.SPEC | {"outputs": []})
    assert [one.name for one in host_maps.outcomes(keys)] == ["tagline", "audience", ""]
    text = WorkflowSpec.model_validate({"steps": [{"type": "llm", "id": "a", "text": "x"}]})
    assert [(one.name, one.title) for one in host_maps.outcomes(text)] == [("", "The result")]


def test_a_batch_holds_what_was_read_and_what_will_be_proposed(run, scope):
    batch, host = run(shop.products(2, tagline="Old"))
    assert (batch.kind, batch.total, batch.content_type) == (BatchKind.OBJECTS, 2, host.content_type)
    assert batch.mapping == shop.MAPPING.inputs
    assert batch.outputs == shop.MAPPING.outputs
    row = BatchRow.objects.filter(batch=batch).first()
    assert row.inputs == {"name": "Product 001", "description": "Good."}
    assert row.original == {"tagline": "Old", "audience": "", "__str__": "Product 001"}
    assert row.object_id == str(Product.objects.first().pk)


def test_the_mapping_is_remembered_per_person_workflow_and_table(author, member, scope, run):
    mapping = FieldMap({"name": "category:label", "description": "=The same for all"}, {"audience": "tagline"})
    batch, host = run(shop.products(1), mapping=mapping)
    spec, me = documents.spec_of(batch.workflow_version), actors.Actor(scope, author, "author")
    again = host_maps.mapping_for(host, batch.workflow, spec, actor=me)
    assert (again.inputs, again.outputs) == (mapping.inputs, mapping.outputs)
    assert host_maps.last_used(host, actor=me) == batch.workflow_id
    other = actors.Actor(scope, member("author", "ole"), "author")
    assert host_maps.mapping_for(host, batch.workflow, spec, actor=other).inputs == shop.MAPPING.inputs
    assert BatchRow.objects.get(batch=batch).inputs == {"name": "Home and living", "description": "The same for all"}


def test_a_remembered_field_that_may_not_be_changed_any_more_is_forgotten(author, scope, run):
    batch, host = run(shop.products(1))
    RowMapping.objects.update(outputs={"updated_at": "tagline", "gone": "audience"}, inputs={"name": "gone"})
    spec, me = documents.spec_of(batch.workflow_version), actors.Actor(scope, author, "author")
    again = host_maps.mapping_for(host, batch.workflow, spec, actor=me)
    assert (again.inputs, again.outputs) == (shop.MAPPING.inputs, shop.MAPPING.outputs)


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        (FieldMap({"description": "description"}, {"tagline": "tagline"}), ("inputs", "name")),
        (FieldMap({"name": "password", "description": "name"}, {"tagline": "tagline"}), ("inputs", "name")),
        (FieldMap({"name": "name", "description": "name"}, {}), ("outputs",)),
        (FieldMap({"name": "name", "description": "name"}, {"id": "tagline"}), ("outputs", "tagline")),
        (FieldMap({"name": "name", "description": "name"}, {"updated_at": "tagline"}), ("outputs", "tagline")),
        (FieldMap({"name": "name", "description": "name"}, {"objects": "tagline"}), ("outputs", "tagline")),
        (FieldMap({"name": "name", "description": "name"}, {"tagline": "nothing"}), ("outputs", "nothing")),
    ],
)
def test_a_mapping_that_cannot_be(actor, author, scope, mapping, place):
    rows = shop.products(1)
    with pytest.raises(InvalidInput) as refused:
        host_rows.start(
            actor=actor, host=shop.host(author, scope), workflow=shop.workflow(scope), mapping=mapping, ids=[rows[0].pk]
        )
    assert [problem.location for problem in refused.value.problems] == [place]
    assert not Batch.objects.exists()


def test_rows_that_cannot_be_run_are_told_and_can_be_left_out(actor, author, scope):
    rows = shop.products(3)
    Product.objects.filter(pk=rows[1].pk).update(description="")
    what = {"actor": actor, "host": shop.host(author, scope), "workflow": shop.workflow(scope)}
    what |= {"mapping": shop.MAPPING, "ids": [one.pk for one in rows]}
    with pytest.raises(InvalidInput) as refused:
        host_rows.start(**what)
    assert [str(p.message) for p in refused.value.problems] == ["Product 002: “Description” is needed; fill it in."]
    assert host_rows.start(**what, leave_out=True).total == 2


def test_ids_that_are_none_and_rows_that_are_gone_are_left_out(actor, author, scope):
    (row,) = shop.products(1)
    ids = ["x", "9" * 40, str(row.pk), "99999", str(row.pk), "'; drop"]
    batch = host_rows.start(
        actor=actor, host=shop.host(author, scope), workflow=shop.workflow(scope), mapping=shop.MAPPING, ids=ids
    )
    assert batch.total == 1


def test_who_may_not_run_batches_starts_none(author, scope):
    viewer = actors.Actor(scope, author, "viewer")
    with pytest.raises(PermissionRefused):
        host_rows.start(
            actor=viewer, host=shop.host(author, scope), workflow=shop.workflow(scope), mapping=shop.MAPPING, ids=[]
        )


def test_a_workspace_that_keeps_no_texts_has_nothing_to_review(actor, author, scope):
    scope.store_texts = "nothing"
    with pytest.raises(InvalidInput, match="keeps no texts"):
        host_rows.start(
            actor=actor, host=shop.host(author, scope), workflow=shop.workflow(scope), mapping=shop.MAPPING, ids=["1"]
        )
