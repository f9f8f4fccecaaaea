from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("llm_admin", "0008_feedback_retention")]

    operations = [
        migrations.AddField("budgetoverride", "refused_before", models.PositiveIntegerField(default=0)),
    ]
