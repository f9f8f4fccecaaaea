from django.db import migrations

AT_ONCE = 500


def store_less(apps, schema_editor):
    """Quarters of an hour in their new form: also those that can't be made again, since their rows are gone."""
    from llm_admin.rollups import blocks

    quarters = apps.get_model("llm_admin", "UsageBlock").objects.filter(level="slot")
    keys = list(quarters.values_list("pk", flat=True))
    for place in range(0, len(keys), AT_ONCE):
        some = list(quarters.filter(pk__in=keys[place : place + AT_ONCE]).only("cells"))
        for one in some:
            one.cells = blocks.repacked(bytes(one.cells))
        quarters.bulk_update(some, ["cells"])


class Migration(migrations.Migration):
    """Hours and days are made anew from the quarters, by another division."""

    dependencies = [("llm_admin", "0009_override_refusals")]

    operations = [
        migrations.RunSQL("DELETE FROM llm_admin_usageblock WHERE level <> 'slot'", migrations.RunSQL.noop),
        migrations.RunPython(store_less, migrations.RunPython.noop),
    ]
