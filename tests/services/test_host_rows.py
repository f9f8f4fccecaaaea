"""A workflow on rows of a table: mapped, started, reviewed, applied, undone; never beyond what its admin allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.signals import post_save

from console.shop.models import Product
from llm_admin.choices import BatchKind, RowStatus
from llm_admin.exceptions import InvalidInput, PermissionRefused
from llm_admin.models import Batch, BatchRow, RowChange, RowMapping
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, documents, host_changes, host_maps, host_review, host_rows
from llm_admin.services.host_maps import FieldMap
from tests import shop


@pytest.fixture
def author(member):
    return shop.allow(member("author", "anna"))


@pytest.fixture
def actor(author, scope):
    return actors.Actor(scope, author, "author")


@pytest.fixture
def run(author, scope):
    """run(products, answers) -> (batch, host)"""

    def make(rows, answers=shop.both, mapping=shop.MAPPING):
        made = shop.batch(author, scope, rows, answers, mapping=mapping)
        return made, shop.host(author, scope)

    return make


def reviews(batch, host):
    return host_review.review(host, batch, list(BatchRow.objects.filter(batch=batch).order_by("number")))


def proposals(batch, host):
    return [(one.name, p.problem, p.proposed_shown) for one in reviews(batch, host) for p in one.proposals]


def ticks(batch, *fields):
    return {row.pk: fields or ("tagline", "audience") for row in BatchRow.objects.filter(batch=batch)}


def apply(batch, host, actor, **what):
    return host_changes.apply(batch, actor=actor, host=host, **{"ticks": None} | what)


# ---- before it runs ----


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


# ---- what is proposed ----


def test_a_proposal_stands_beside_what_is_there(run):
    batch, host = run(shop.products(1, tagline="Old line"))
    (one,) = reviews(batch, host)
    tagline, audience = one.proposals
    assert [(p.operation, p.text) for p in tagline.pieces if p.operation == "removed"]
    assert "".join(p.text for p in tagline.pieces if p.operation != "removed") == "Line for Product 001"
    assert (audience.now_shown, audience.proposed_shown, audience.advised) == ("", "Everybody", True)


def test_what_changed_meanwhile_is_told_and_not_ticked(run):
    rows = shop.products(2)
    batch, host = run(rows)
    Product.objects.filter(pk=rows[0].pk).update(tagline="By hand")
    first, second = reviews(batch, host)
    assert [(p.changed, p.advised, p.open) for p in first.proposals] == [(True, False, True), (False, True, True)]
    assert all(p.advised for p in second.proposals)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"tagline": "x" * 161, "audience": "a"}, "160 characters"),
        ({"audience": "a"}, "no “tagline”"),
        ("only a text", "no “tagline”"),
        (None, "no “tagline”"),
        ([], "no “tagline”"),
        ({"tagline": "half \ud83d", "audience": "a"}, "surrogate"),
        ({"tagline": "nul \x00", "audience": "a"}, "NUL"),
        ({"tagline": "key: [masked]", "audience": "a"}, "masked"),
    ],
)
def test_what_cannot_be_stored_is_a_sentence_at_its_field(run, actor, answer, problem):
    rows = shop.products(1)
    batch, host = run(rows, [None])
    before = shop.table()
    (row,) = BatchRow.objects.filter(batch=batch)
    row.output = answer
    (one,) = host_review.review(host, batch, [row])
    assert problem in one.proposals[0].problem
    assert not one.proposals[0].open
    assert shop.table() == before


def test_an_answer_sets_nothing_that_is_not_mapped(run, actor):
    rows = shop.products(1)
    answer = {"tagline": "New", "audience": "A", "price": "0.01", "id": 7, "pk": 7, "save": "x", "__class__": "y"}
    batch, host = run(rows, [answer], FieldMap(shop.MAPPING.inputs, {"tagline": "tagline"}))
    apply(batch, host, actor)
    (after,) = Product.objects.values()
    assert after | {"tagline": ""} == rows[0].__class__.objects.values().get() | {"tagline": ""}
    assert (after["tagline"], after["audience"], str(after["price"])) == ("New", "", "12.50")


def test_a_field_beyond_the_mapping_cannot_be_ticked(run, actor):
    batch, host = run(shop.products(1), mapping=FieldMap(shop.MAPPING.inputs, {"tagline": "tagline"}))
    before = shop.table()
    done = apply(batch, host, actor, ticks=ticks(batch, "audience", "price", "id", "__class__"))
    assert (done.rows, shop.table()) == (0, before)


def test_typed_columns(run, actor):
    spec = {
        "inputs": [{"name": "name"}],
        "steps": [{"type": "llm", "id": "a", "text": "{{name}}"}],
        "outputs": [{"name": n, "value": "{{a}}"} for n in ("price", "category", "in_stock", "weight")],
    }
    mapping = FieldMap({"name": "name"}, {n: n for n in ("price", "category", "in_stock", "weight")})
    rows = shop.products(2)
    scope = actor.workspace
    shop.workflow(scope, spec=spec)
    good = {"price": "19,90".replace(",", "."), "category": "Body care", "in_stock": "no", "weight": 250}
    bad = {"price": "-1", "category": "Garden", "in_stock": "perhaps", "weight": "2.5"}
    batch, host = run(rows, [good, bad], mapping)
    apply(batch, host, actor)
    first, second = Product.objects.order_by("pk")
    assert (str(first.price), first.category, first.in_stock, first.weight) == ("19.90", "care", False, 250)
    assert (str(second.price), second.category, second.in_stock, second.weight) == ("12.50", "home", True, None)
    assert all(problem for name, problem, _ in proposals(batch, host) if name == "Product 002")


# ---- applying and undoing ----


def test_apply_and_undo_leave_the_table_as_it_was(run, actor, author):
    rows = shop.products(20, tagline="Old")
    batch, host = run(rows)
    before = shop.table()
    chosen = dict(list(ticks(batch).items())[:15])
    done = apply(batch, host, actor, ticks=chosen)
    assert (done.rows, done.fields, done.skipped) == (15, 30, [])
    assert Product.objects.filter(tagline__startswith="Line for", audience="Everybody").count() == 15
    assert RowChange.objects.filter(applied_by=author, undone_at=None).count() == 30
    assert LogEntry.objects.filter(user=author, object_id=str(rows[0].pk)).get().get_change_message() == (
        "Changed Tagline and Audience with the workflow “Tagline v1”."
    )
    done = host_changes.undo(batch, actor=actor, host=host)
    assert (done.rows, done.fields, done.skipped) == (15, 30, [])
    assert shop.table() == before
    assert LogEntry.objects.count() == 30
    assert "Undid" in LogEntry.objects.order_by("-pk")[0].get_change_message()
    assert host_changes.undo(batch, actor=actor, host=host).rows == 0


def test_applied_is_applied_once_and_may_be_applied_again_after_undo(run, actor):
    batch, host = run(shop.products(1))
    assert apply(batch, host, actor).rows == 1
    done = apply(batch, host, actor, ticks=ticks(batch))
    assert (done.rows, RowChange.objects.count()) == (0, 2)
    assert "applied already" in done.skipped[0]
    host_changes.undo(batch, actor=actor, host=host)
    assert apply(batch, host, actor, ticks=ticks(batch)).rows == 1
    assert RowChange.objects.count() == 4


def test_one_row_is_undone_alone(run, actor):
    rows = shop.products(2)
    batch, host = run(rows)
    apply(batch, host, actor)
    first = BatchRow.objects.filter(batch=batch).order_by("number").first()
    assert host_changes.undo(batch, actor=actor, host=host, rows=[first.pk]).rows == 1
    assert list(Product.objects.order_by("pk").values_list("audience", flat=True)) == ["", "Everybody"]


def test_undo_leaves_alone_what_was_edited_since(run, actor):
    rows = shop.products(1, tagline="Old")
    batch, host = run(rows)
    apply(batch, host, actor)
    Product.objects.update(tagline="By hand, later")
    done = host_changes.undo(batch, actor=actor, host=host)
    product = Product.objects.get()
    assert (product.tagline, product.audience) == ("By hand, later", "")
    assert done.skipped == ["Product 001, Tagline: It was changed since, so it stays as it is."]


def test_everything_means_what_nobody_changed_meanwhile(run, actor):
    rows = shop.products(2)
    batch, host = run(rows)
    Product.objects.filter(pk=rows[0].pk).update(tagline="By hand")
    apply(batch, host, actor)
    assert list(Product.objects.order_by("pk").values_list("tagline", flat=True)) == ["By hand", "Line for Product 002"]


def test_what_changed_after_the_page_was_opened_is_skipped(run, actor):
    rows = shop.products(2)
    batch, host = run(rows)
    seen = {one.row.pk: one.seen for one in reviews(batch, host)}
    Product.objects.filter(pk=rows[0].pk).update(audience="By hand")
    done = apply(batch, host, actor, ticks=ticks(batch), seen=seen)
    assert done.rows == 1
    assert done.skipped == ["Product 001: It was changed after you opened this page. Look at it again."]
    assert Product.objects.get(pk=rows[0].pk).audience == "By hand"


def test_deleted_rows_are_skipped_with_a_sentence(run, actor):
    rows = shop.products(2)
    batch, host = run(rows)
    rows[0].delete()
    done = apply(batch, host, actor, ticks=ticks(batch))
    assert done.rows == 1
    assert done.skipped == [f"Product 001: {host_review.GONE}"]
    rows[1].delete()
    assert host_changes.undo(batch, actor=actor, host=host).skipped == [f"Product 002: {host_review.GONE}"]


def test_the_tables_own_rules_are_kept(run, actor):
    """`name` is unique: the second row would take the first one's."""
    spec = shop.SPEC | {"outputs": [{"name": "name", "value": "{{data.tagline}}"}]}
    shop.workflow(actor.workspace, spec=spec)
    rows = shop.products(2)
    mapping = FieldMap(shop.MAPPING.inputs, {"name": "name"})
    batch, host = run(rows, [{"name": "Taken"}, {"name": "Taken"}], mapping)
    done = apply(batch, host, actor)
    assert done.rows == 1
    assert "already exists" in done.skipped[0]
    assert sorted(Product.objects.values_list("name", flat=True)) == ["Product 002", "Taken"]


def test_the_hosts_signals_run_and_only_the_changed_columns_are_written(run, actor):
    heard = []

    def listen(sender, instance, update_fields, **kwargs):
        heard.append((instance.name, set(update_fields or ())))

    batch, host = run(shop.products(1))
    post_save.connect(listen, sender=Product)
    try:
        apply(batch, host, actor, ticks=ticks(batch, "audience"))
        host_changes.undo(batch, actor=actor, host=host)
    finally:
        post_save.disconnect(listen, sender=Product)
    assert heard == [("Product 001", {"audience"})] * 2


def test_only_rows_that_succeeded_are_applied(run, actor):
    batch, host = run(shop.products(2))
    first = BatchRow.objects.filter(batch=batch).order_by("number").first()
    BatchRow.objects.filter(pk=first.pk).update(status=RowStatus.FAILED)
    assert apply(batch, host, actor).rows == 1
    assert apply(batch, host, actor, ticks={first.pk: ["tagline"]}).rows == 0


def test_a_row_of_another_batch_is_not_reached(run, actor):
    rows = shop.products(2)
    mine, host = run(rows[:1])
    other, _ = run(rows[1:])
    before = shop.table()
    foreign = BatchRow.objects.get(batch=other).pk
    assert apply(mine, host, actor, ticks={foreign: ["tagline"]}).rows == 0
    assert shop.table() == before


def test_what_the_hosts_admin_hides_or_forbids_stays_as_it_is(run, actor):
    rows = shop.products(4)
    batch, host = run(rows)
    hidden, forbidden, partly, free = (one.pk for one in rows)
    host = replace(
        host,
        rows=lambda: Product.objects.exclude(pk=hidden),
        may_change=lambda obj: obj.pk != forbidden,
        fields=lambda obj: {"audience"} if obj is not None and obj.pk == partly else {"tagline", "audience"},
    )
    done = apply(batch, host, actor, ticks=ticks(batch))
    assert done.skipped == [
        f"Product 001: {host_review.GONE}",
        f"Product 002: {host_review.NOT_YOURS}",
        f"Product 003, Tagline: {host_review.NOT_EDITABLE}",
    ]
    assert list(Product.objects.order_by("pk").values_list("tagline", "audience")) == [
        ("", ""),
        ("", ""),
        ("", "Everybody"),
        ("Line for Product 004", "Everybody"),
    ]
    none = replace(host, fields=lambda obj: set())
    done = host_changes.undo(batch, actor=actor, host=none)
    assert done.rows == 0
    assert Product.objects.get(pk=free).audience == "Everybody"


def test_a_column_that_is_gone_from_the_table(run, actor):
    batch, host = run(shop.products(1))
    Batch.objects.update(outputs={"no_longer": "tagline", "audience": "audience"})
    batch.refresh_from_db()
    (one,) = reviews(batch, host)
    assert (one.proposals[0].problem, one.proposals[0].open) == (host_review.NOT_EDITABLE, False)
    assert apply(batch, host, actor).fields == 1


def test_a_viewer_applies_and_undoes_nothing(run, actor, author):
    batch, host = run(shop.products(1))
    viewer = actors.Actor(actor.workspace, author, "viewer")
    with pytest.raises(PermissionRefused):
        apply(batch, host, viewer)
    with pytest.raises(PermissionRefused):
        host_changes.undo(batch, actor=viewer, host=host)
