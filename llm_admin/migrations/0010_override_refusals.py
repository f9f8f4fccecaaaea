from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("llm_admin", "0009_dashboards")]

    operations = [
        migrations.AddField("budgetoverride", "refused_before", models.PositiveIntegerField(default=0)),
    ]
