import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from llm_admin.selectors import log_search_postgres, log_search_sqlite

BACKENDS = {"sqlite": log_search_sqlite, "postgresql": log_search_postgres}


def make_words(apps, schema_editor):
    schema_editor.execute(BACKENDS[schema_editor.connection.vendor].CREATE, params=None)


def drop_words(apps, schema_editor):
    schema_editor.execute(BACKENDS[schema_editor.connection.vendor].DROP, params=None)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("llm_admin", "0005_rollups"),
    ]

    operations = [
        migrations.CreateModel(
            name="LogIndexMark",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("upto", models.BigIntegerField(default=0)),
                ("version", models.PositiveSmallIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="LogMinutes",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("dimension", models.CharField(max_length=10)),
                ("value", models.CharField(max_length=40)),
                ("day", models.DateField()),
                ("minutes", models.BinaryField()),
                ("workspace", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="llm_admin.workspace")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "dimension", "value", "day"), name="llm_admin_log_minutes")],
            },
        ),
        migrations.CreateModel(
            name="LogView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("shared", models.BooleanField(default=False)),
                ("query", models.JSONField(default=dict)),
                ("columns", models.JSONField(default=list)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("owner", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="llm_admin.workspace")),
            ],
            options={
                "verbose_name": "view of logs",
                "verbose_name_plural": "views of logs",
                "ordering": ("name", "pk"),
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("workspace", "owner", "name"), name="llm_admin_log_view_name", violation_error_message="You have a view with this name already.")],
            },
        ),
        migrations.CreateModel(
            name="LogReader",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("columns", models.JSONField(default=list)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("view", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="llm_admin.logview")),
                ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="llm_admin.workspace")),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("workspace", "user"), name="llm_admin_log_reader")],
            },
        ),
        migrations.RunPython(make_words, drop_words),
    ]
