from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("llm_admin", "0008_feedback_retention")]

    operations = []
