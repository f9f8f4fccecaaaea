import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("llm_admin", "0007_monitors"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="keep_logs_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Afterwards only the numbers of dashboards stay, and what people thought of answers. Empty: forever.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="days that calls and runs are kept",
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="keep_texts_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Messages, answers, inputs and results of runs, rows of batches, notes. Empty: as long as their rows.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="days that texts are kept",
            ),
        ),
        migrations.CreateModel(
            name="InteractionFeedback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("log_id", models.BigIntegerField(null=True)),
                ("run_id", models.UUIDField(null=True)),
                ("source", models.CharField(blank=True, max_length=10)),
                ("status", models.CharField(blank=True, max_length=12)),
                ("error_kind", models.CharField(blank=True, max_length=20)),
                ("cached", models.BooleanField(default=False)),
                (
                    "answered_at",
                    models.DateTimeField(help_text="When the call or the run began: its place among the numbers."),
                ),
                ("value", models.CharField(choices=[("up", "Good"), ("down", "Bad")], max_length=4)),
                ("note", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "caller",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deployment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="llm_admin.deployment",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="llm_admin.languagemodel",
                    ),
                ),
                (
                    "prompt",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="llm_admin.prompt",
                    ),
                ),
                (
                    "prompt_version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="llm_admin.promptversion",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="llm_admin.workflow",
                    ),
                ),
                (
                    "workflow_version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="llm_admin.workflowversion",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feedback",
                        to="llm_admin.workspace",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "feedback",
                "ordering": ("-id",),
                "default_permissions": ("add", "view"),
                "indexes": [
                    models.Index(fields=["run_id"], name="llm_admin_feedback_of_run"),
                    models.Index(fields=["workspace", "answered_at"], name="llm_admin_feedback_time"),
                    models.Index(fields=["prompt_version", "value"], name="llm_admin_feedback_version"),
                    models.Index(fields=["workflow_version", "value"], name="llm_admin_feedback_wversion"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("log_id", "user"), name="llm_admin_feedback_log"),
                    models.UniqueConstraint(
                        condition=models.Q(("user__isnull", True)),
                        fields=("log_id",),
                        name="llm_admin_feedback_log_code",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("log_id__isnull", True)),
                        fields=("run_id", "user"),
                        name="llm_admin_feedback_run",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("log_id__isnull", True), ("user__isnull", True)),
                        fields=("run_id",),
                        name="llm_admin_feedback_run_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PruneRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "started_by",
                    models.CharField(
                        choices=[
                            ("ticker", "By itself"),
                            ("person", "From the settings"),
                            ("command", "From the command line"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("running", "Running"), ("finished", "Finished"), ("interrupted", "Interrupted")],
                        default="running",
                        max_length=12,
                    ),
                ),
                ("texts_before", models.DateTimeField(null=True)),
                ("rows_before", models.DateTimeField(null=True)),
                ("whole", models.BooleanField(default=False)),
                ("texts", models.PositiveIntegerField(default=0, help_text="Calls whose texts were removed.")),
                ("runs_emptied", models.PositiveIntegerField(default=0, help_text="Runs whose texts were removed.")),
                ("rows_emptied", models.PositiveIntegerField(default=0, help_text="Rows of batches whose texts were removed.")),
                ("logs", models.PositiveIntegerField(default=0, help_text="Calls that were removed.")),
                ("runs", models.PositiveIntegerField(default=0)),
                ("batches", models.PositiveIntegerField(default=0)),
                ("executor", models.CharField(blank=True, max_length=80)),
                ("lease_expires_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="llm_admin.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "default_permissions": (),
                "indexes": [models.Index(fields=["workspace", "-id"], name="llm_admin_prune_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "running")), fields=("workspace",), name="llm_admin_one_prune"
                    )
                ],
            },
        ),
    ]
