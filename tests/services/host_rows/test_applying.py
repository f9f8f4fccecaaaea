"""Applied and undone; never beyond what its admin allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.signals import post_save

from console.shop.models import Product
from llm_admin.choices import RowStatus
from llm_admin.exceptions import PermissionRefused
from llm_admin.models import Batch, BatchRow, RowChange
from llm_admin.services import actors, host_changes, host_review
from llm_admin.services.host_maps import FieldMap
from tests import shop


def test_apply_and_undo_leave_the_table_as_it_was(run, actor, author):
    rows = shop.products(20, tagline="Old")
    batch, host = run(rows)
    before = shop.table()
    chosen = dict(list(shop.ticks(batch).items())[:15])
    done = shop.apply(batch, host, actor, ticks=chosen)
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
    assert shop.apply(batch, host, actor).rows == 1
    done = shop.apply(batch, host, actor, ticks=shop.ticks(batch))
    assert (done.rows, RowChange.objects.count()) == (0, 2)
    assert "applied already" in done.skipped[0]
    host_changes.undo(batch, actor=actor, host=host)
    assert shop.apply(batch, host, actor, ticks=shop.ticks(batch)).rows == 1
    assert RowChange.objects.count() == 4


def test_one_row_is_undone_alone(run, actor):
    rows = shop.products(2)
    batch, host = run(rows)
    shop.apply(batch, host, actor)
    first = BatchRow.objects.filter(batch=batch).order_by("number").first()
    assert host_changes.undo(batch, actor=actor, host=host, rows=[first.pk]).rows == 1
    assert list(Product.objects.order_by("pk").values_list("audience", flat=True)) == ["", "Everybody"]


def test_undo_leaves_alone_what_was_edited_since(run, actor):
    rows = shop.products(1, tagline="Old")
    batch, host = run(rows)
    shop.apply(batch, host, actor)
    Product.objects.update(tagline="By hand, later")
    done = host_changes.undo(batch, actor=actor, host=host)
    product = Product.objects.get()
    assert (product.tagline, product.audience) == ("By hand, later", "")
    assert done.skipped == ["Product 001, Tagline: It was changed since, so it stays as it is."]


def test_everything_means_what_nobody_changed_meanwhile(run, actor):
    rows = shop.products(2)
    batch, host = run(rows)
    Product.objects.filter(pk=rows[0].pk).update(tagline="By hand")
    shop.apply(batch, host, actor)
    assert list(Product.objects.order_by("pk").values_list("tagline", flat=True)) == ["By hand", "Line for Product 002"]


def test_what_changed_after_the_page_was_opened_is_skipped(run, actor):
    rows = shop.products(2)
    batch, host = run(rows)
    seen = {one.row.pk: one.seen for one in shop.reviews(batch, host)}
    Product.objects.filter(pk=rows[0].pk).update(audience="By hand")
    done = shop.apply(batch, host, actor, ticks=shop.ticks(batch), seen=seen)
    assert done.rows == 1
    assert done.skipped == ["Product 001: It was changed after you opened this page. Look at it again."]
    assert Product.objects.get(pk=rows[0].pk).audience == "By hand"


def test_deleted_rows_are_skipped_with_a_sentence(run, actor):
    rows = shop.products(2)
    batch, host = run(rows)
    rows[0].delete()
    done = shop.apply(batch, host, actor, ticks=shop.ticks(batch))
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
    done = shop.apply(batch, host, actor)
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
        shop.apply(batch, host, actor, ticks=shop.ticks(batch, "audience"))
        host_changes.undo(batch, actor=actor, host=host)
    finally:
        post_save.disconnect(listen, sender=Product)
    assert heard == [("Product 001", {"audience"})] * 2


def test_only_rows_that_succeeded_are_applied(run, actor):
    batch, host = run(shop.products(2))
    first = BatchRow.objects.filter(batch=batch).order_by("number").first()
    BatchRow.objects.filter(pk=first.pk).update(status=RowStatus.FAILED)
    assert shop.apply(batch, host, actor).rows == 1
    assert shop.apply(batch, host, actor, ticks={first.pk: ["tagline"]}).rows == 0


def test_a_row_of_another_batch_is_not_reached(run, actor):
    rows = shop.products(2)
    mine, host = run(rows[:1])
    other, _ = run(rows[1:])
    before = shop.table()
    foreign = BatchRow.objects.get(batch=other).pk
    assert shop.apply(mine, host, actor, ticks={foreign: ["tagline"]}).rows == 0
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
    done = shop.apply(batch, host, actor, ticks=shop.ticks(batch))
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
    (one,) = shop.reviews(batch, host)
    assert (one.proposals[0].problem, one.proposals[0].open) == (host_review.NOT_EDITABLE, False)
    assert shop.apply(batch, host, actor).fields == 1


def test_a_viewer_applies_and_undoes_nothing(run, actor, author):
    batch, host = run(shop.products(1))
    viewer = actors.Actor(actor.workspace, author, "viewer")
    with pytest.raises(PermissionRefused):
        shop.apply(batch, host, viewer)
    with pytest.raises(PermissionRefused):
        host_changes.undo(batch, actor=viewer, host=host)


def test_what_the_database_writes_differently_is_the_same_value(run, actor):
    """19.9 is stored as 19.90: it is no change when it is there already, and none of somebody else's to undo."""
    spec = shop.SPEC | {"outputs": [{"name": "price", "value": "{{data.tagline}}"}]}
    shop.workflow(actor.workspace, spec=spec)
    mapping = FieldMap(shop.MAPPING.inputs, {"price": "price"})
    batch, host = run(shop.products(2), [{"price": "19.9"}, {"price": "12.5"}], mapping)
    assert [[p.name for p in one.open] for one in shop.reviews(batch, host)] == [["price"], []]
    assert shop.apply(batch, host, actor).rows == 1
    done = host_changes.undo(batch, actor=actor, host=host)
    assert (done.rows, done.skipped) == (1, [])
    assert set(map(str, Product.objects.values_list("price", flat=True))) == {"12.50"}


def test_batches_on_the_same_rows_are_undone_in_turn(run, actor):
    rows = shop.products(1, tagline="Old")
    first, host = run(rows)
    second, _ = run(rows, [{"tagline": "Second", "audience": "Everybody"}])
    shop.apply(first, host, actor)
    shop.apply(second, host, actor, ticks=shop.ticks(second, "tagline"))
    done = host_changes.undo(first, actor=actor, host=host)
    assert (done.fields, done.skipped) == (1, ["Product 001, Tagline: It was changed since, so it stays as it is."])
    host_changes.undo(second, actor=actor, host=host)
    assert Product.objects.get().tagline == "Line for Product 001"
    assert host_changes.undo(first, actor=actor, host=host).rows == 1
    assert (Product.objects.get().tagline, RowChange.objects.filter(undone_at=None).count()) == ("Old", 0)
