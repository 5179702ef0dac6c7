"""What ended before there were announcements is not told now."""

from django.db import migrations, models


def mark_as_announced(apps, schema_editor):
    for name, states in (("Document", ("ready", "failed")), ("Batch", ("done", "cancelled"))):
        rows = apps.get_model("documents", name)._base_manager.filter(state__in=states)
        rows.filter(announced_at=None).update(announced_at=models.F("finished_at"), occurrence=1)


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_announcing_sending_telling")]

    operations = [migrations.RunPython(mark_as_announced, migrations.RunPython.noop)]
