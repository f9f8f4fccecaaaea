import django.db.models.deletion
from django.db import migrations, models

from llm_admin.models import rollup_triggers


def count_what_is_there(apps, schema_editor):
    rollup_triggers.backfill(schema_editor.connection)


def forget_triggers(apps, schema_editor):
    rollup_triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("llm_admin", "0004_models_routing")]

    operations = [
        migrations.CreateModel(
            name="UsageBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.CharField(choices=[("slot", "A quarter of an hour, by everything"), ("day", "A day of a time zone, by everything but the person"), ("pair", "A day of a time zone, for each value of one dimension by each other one"), ("person", "A person's UTC day, by quarters of an hour")], max_length=6)),
                ("zone", models.CharField(blank=True, max_length=40)),
                ("person", models.BigIntegerField(default=0)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("summary", models.BinaryField(default=bytes)),
                ("summary_times", models.BinaryField(default=bytes)),
                ("cells", models.BinaryField(default=bytes)),
                ("times", models.BinaryField(default=bytes)),
                ("workspace", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="llm_admin.workspace")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "level", "start", "zone", "person"), name="llm_admin_usage_block")],
            },
        ),
        migrations.CreateModel(
            name="UsageSlot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateTimeField()),
                ("changes", models.PositiveIntegerField(default=0)),
                ("folded", models.PositiveIntegerField(default=0)),
                ("breaks", models.PositiveIntegerField(default=0)),
                ("mended", models.PositiveIntegerField(default=0)),
                ("last_id", models.BigIntegerField(default=0)),
                ("frozen", models.BooleanField(default=False)),
                ("workspace", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="llm_admin.workspace")),
            ],
            options={
                "indexes": [models.Index(condition=models.Q(("changes", models.F("folded")), _negated=True), fields=["workspace", "start"], name="llm_admin_usage_unfolded")],
                "constraints": [models.UniqueConstraint(fields=("workspace", "start"), name="llm_admin_usage_slot")],
            },
        ),
        migrations.CreateModel(
            name="UsageZone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("used_at", models.DateTimeField()),
                ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="llm_admin.workspace")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "name"), name="llm_admin_usage_zone")],
            },
        ),
        migrations.RunPython(count_what_is_there, forget_triggers),
    ]
