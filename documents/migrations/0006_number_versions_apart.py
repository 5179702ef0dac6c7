"""Two requests at once could once number their papers alike: the later one takes the next number."""

from django.db import migrations
from django.db.models import Count, Max

SERIES = ("company_id", "kind", "subject_id", "period_start", "period_end")


def number_apart(apps, schema_editor):
    documents = apps.get_model("documents", "Document").objects
    alike = documents.values(*SERIES, "version").annotate(rows=Count("pk")).filter(rows__gt=1)
    for series in {tuple(row[name] for name in SERIES) for row in alike}:
        rows = documents.filter(**_same(series))
        _number(
            rows, list(rows.order_by("version", "created_at", "pk").values_list("pk", "version"))
        )


def _same(series):
    given = dict(zip(SERIES, series, strict=True))
    known = {name: value for name, value in given.items() if value is not None}
    return known | {f"{name}__isnull": True for name in given.keys() - known.keys()}


def _number(rows, versions):
    taken = set()
    following = rows.aggregate(last=Max("version"))["last"] + 1
    for pk, version in versions:
        if version in taken:
            rows.filter(pk=pk).update(version=following)
            following += 1
        taken.add(version)


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0005_notification_mails_and_webhook_secrets"),
    ]

    operations = [migrations.RunPython(number_apart, migrations.RunPython.noop)]
