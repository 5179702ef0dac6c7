"""The table in which attempts at signing in are counted."""

from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    alias = schema_editor.connection.alias
    call_command("createcachetable", "accounts_cache", database=alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_payment_link")]

    operations = [
        migrations.RunPython(
            create,
            migrations.RunPython.noop,
        ),
        migrations.RunSQL(migrations.RunSQL.noop, "DROP TABLE IF EXISTS accounts_cache"),
    ]
