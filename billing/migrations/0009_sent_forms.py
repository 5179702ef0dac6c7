"""The table in which forms that were sent are remembered for a day."""

from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    alias = schema_editor.connection.alias
    call_command("createcachetable", "billing_sent_forms", database=alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("billing", "0008_challans_billed_by")]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
        migrations.RunSQL(migrations.RunSQL.noop, "DROP TABLE IF EXISTS billing_sent_forms"),
    ]
