from django.db import migrations, models

LEVELS = [
    ("slot", "A quarter of an hour, by everything"),
    ("hour", "An hour of UTC, by each dimension alone"),
    ("day", "A day, by each dimension alone"),
    ("outcome", "A day, by where calls came from and how they ended, and each other dimension"),
    ("deployment", "A day, by deployment and each other dimension"),
    ("prompt", "A day of a prompt's version, by everything but the person"),
    ("model", "A day of a model's deployment, by everything but the person"),
    ("workflow", "A day of a workflow, by everything but the person"),
    ("user", "A day of a person, by everything"),
]


class Migration(migrations.Migration):
    dependencies = [("llm_admin", "0010_usage_forms")]

    operations = [
        migrations.RemoveConstraint("usageblock", "llm_admin_usage_block"),
        migrations.RenameField("usageblock", "person", "value"),
        migrations.AddField("usageblock", "part", models.BigIntegerField(default=0)),
        migrations.RemoveField("usageblock", "summary"),
        migrations.RemoveField("usageblock", "summary_times"),
        migrations.AlterField("usageblock", "level", models.CharField(choices=LEVELS, max_length=10)),
        migrations.AddConstraint(
            "usageblock",
            models.UniqueConstraint(
                fields=("workspace", "level", "start", "zone", "value", "part"), name="llm_admin_usage_block"
            ),
        ),
    ]
