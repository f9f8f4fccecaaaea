from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("llm_admin", "0007_monitors")]

    operations = []
