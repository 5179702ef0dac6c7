"""As every migration of ours: added first, with a default of the database's."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE documents_document ADD COLUMN upcoming text NOT NULL DEFAULT ''",
            "ALTER TABLE documents_document DROP COLUMN upcoming",
        )
    ]
