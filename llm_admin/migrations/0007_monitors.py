import django.core.validators
import django.db.models.deletion
import encrypted_fields.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("llm_admin", "0006_log_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Monitor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('note', models.TextField(blank=True, help_text='Stands in every message: where to look, whom to ask.', max_length=2000, verbose_name='what to do')),
                ('measure', models.CharField(max_length=30)),
                ('source', models.CharField(blank=True, choices=[('studio', 'Studio'), ('admin', 'Admin list'), ('code', 'Python code'), ('command', 'Command line'), ('batch', 'Batch')], max_length=10)),
                ('window', models.PositiveIntegerField(choices=[(15, '15 minutes'), (30, '30 minutes'), (60, '1 hour'), (180, '3 hours'), (360, '6 hours'), (720, '12 hours'), (1440, '24 hours'), (4320, '3 days'), (10080, '7 days'), (43200, '30 days')], default=60, verbose_name='over the last')),
                ('direction', models.CharField(choices=[('above', 'Above'), ('below', 'Below')], default='above', max_length=5, verbose_name='when it is')),
                ('warn', models.BigIntegerField(blank=True, null=True)),
                ('alarm', models.BigIntegerField(blank=True, null=True)),
                ('min_calls', models.PositiveIntegerField(default=0, help_text='With fewer in the window it does not judge: one failure of two calls says little.', validators=[django.core.validators.MaxValueValidator(1000000000)], verbose_name='at least so many calls')),
                ('no_data', models.CharField(choices=[('keep', 'Stay as it is'), ('ok', 'Count as fine'), ('alarm', 'Tell people: no data')], default='keep', max_length=5, verbose_name='when there is nothing to judge')),
                ('in_a_row', models.PositiveSmallIntegerField(default=1, help_text='It looks once a minute. 5 changes its state only after five looks that agree.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)], verbose_name='looks in a row')),
                ('remind_hours', models.PositiveSmallIntegerField(blank=True, help_text='Hours, as long as the alarm lasts. Empty: it is told once.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(720)], verbose_name='remind every')),
                ('tell_recovery', models.BooleanField(default=True, verbose_name='tell when it is fine again')),
                ('addresses', models.JSONField(blank=True, default=list)),
                ('webhook_kind', models.CharField(choices=[('json', 'JSON, for a program of yours'), ('slack', 'A text, for Slack and what speaks like it')], default='json', max_length=5, verbose_name='what is posted')),
                ('webhook_url', encrypted_fields.fields.EncryptedTextField(blank=True, null=True)),
                ('webhook_secret', encrypted_fields.fields.EncryptedTextField(blank=True, editable=False, null=True)),
                ('enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('muted_at', models.DateTimeField(editable=False, null=True)),
                ('muted_until', models.DateTimeField(editable=False, null=True)),
                ('turn', models.PositiveBigIntegerField(default=0, editable=False)),
                ('state', models.CharField(choices=[('unknown', 'Not looked at yet'), ('ok', 'Fine'), ('warn', 'Warning'), ('alarm', 'Alarm'), ('no_data', 'No data')], default='unknown', editable=False, max_length=8)),
                ('since', models.DateTimeField(editable=False, null=True)),
                ('pending', models.SmallIntegerField(default=0, editable=False)),
                ('told', models.CharField(blank=True, choices=[('unknown', 'Not looked at yet'), ('ok', 'Fine'), ('warn', 'Warning'), ('alarm', 'Alarm'), ('no_data', 'No data')], editable=False, max_length=8)),
                ('told_at', models.DateTimeField(editable=False, null=True)),
                ('value', models.FloatField(editable=False, null=True)),
                ('counted', models.PositiveBigIntegerField(editable=False, null=True)),
                ('evaluated_at', models.DateTimeField(editable=False, null=True)),
                ('deployment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='llm_admin.deployment')),
                ('model', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='llm_admin.languagemodel')),
                ('owner', models.ForeignKey(blank=True, help_text='Whom people ask about it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('people', models.ManyToManyField(blank=True, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('prompt', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='llm_admin.prompt')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='llm_admin.promptversion')),
                ('workflow', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='llm_admin.workflow')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='monitors', to='llm_admin.workspace')),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='MonitorDelivery',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('mail', 'Mail'), ('webhook', 'Webhook')], max_length=7)),
                ('to', models.CharField(max_length=320)),
                ('title', models.CharField(max_length=200)),
                ('payload', models.JSONField()),
                ('status', models.CharField(choices=[('pending', 'To be sent'), ('sent', 'Sent'), ('given_up', 'Given up')], default='pending', max_length=8)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('last_try', models.BooleanField(default=False)),
                ('next_at', models.DateTimeField(null=True)),
                ('status_code', models.PositiveSmallIntegerField(null=True)),
                ('problem', models.CharField(blank=True, max_length=400)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('monitor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='llm_admin.monitor')),
            ],
            options={
                'ordering': ('-created_at', 'channel', 'to'),
            },
        ),
        migrations.CreateModel(
            name='MonitorEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('changed', 'Changed'), ('told', 'Told'), ('reminded', 'Reminded'), ('muted', 'Muted'), ('unmuted', 'Unmuted'), ('edited', 'Settings changed')], max_length=10)),
                ('before', models.CharField(blank=True, choices=[('unknown', 'Not looked at yet'), ('ok', 'Fine'), ('warn', 'Warning'), ('alarm', 'Alarm'), ('no_data', 'No data')], max_length=8)),
                ('state', models.CharField(choices=[('unknown', 'Not looked at yet'), ('ok', 'Fine'), ('warn', 'Warning'), ('alarm', 'Alarm'), ('no_data', 'No data')], max_length=8)),
                ('words', models.CharField(blank=True, max_length=400)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('monitor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='llm_admin.monitor')),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.AddIndex(
            model_name='monitor',
            index=models.Index(fields=['enabled', 'evaluated_at'], name='llm_admin_monitor_due'),
        ),
        migrations.AddConstraint(
            model_name='monitor',
            constraint=models.UniqueConstraint(fields=('workspace', 'name'), name='llm_admin_monitor_name', violation_error_message='There is a monitor of this name already.'),
        ),
        migrations.AddIndex(
            model_name='monitordelivery',
            index=models.Index(fields=['status', 'next_at'], name='llm_admin_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='monitordelivery',
            index=models.Index(fields=['monitor', 'created_at'], name='llm_admin_delivery_of'),
        ),
    ]
