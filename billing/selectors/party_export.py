"""All that is kept of one party, to be handed over (GDPR, articles 15 and 20)."""

import json
import zipfile
from pathlib import Path
from typing import Any

from auditlog.models import LogEntry
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from billing.models import Party
from documents.archive import Damaged, archive
from documents.models import Delivery, Document

_OF_NO_INTEREST = {"token", "lease_expires_at", "published_at", "turn", "queue"}


def write_export(party: Party, path: Path) -> list[str]:
    """A ZIP with party.json and every paper. Returns what could not be read."""
    papers = Document.objects.for_company(party.company).filter(recipient_id=party.pk)
    problems = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        facts = json.dumps(facts_of(party), cls=DjangoJSONEncoder, indent=1, ensure_ascii=False)
        file.writestr("party.json", facts)
        for paper in papers.exclude(storage_key="").order_by("created_at"):
            try:
                content = archive().read(paper.storage_key, paper.sha256)
            except Damaged as error:
                problems.append(f"{paper.title}: {error}")
            else:
                file.writestr(f"papers/{paper.pk}.pdf", content)
    return problems


def facts_of(party: Party) -> dict[str, Any]:
    """Rows by their tables: the party's, those that name it, and what belongs to those."""
    company = party.company
    facts: dict[str, Any] = {"party": _plain(Party.all_objects.filter(pk=party.pk))}
    for relation in Party._meta.related_objects:
        model: Any = relation.related_model
        rows = model._base_manager.filter(**{relation.field.name: party})
        facts[model._meta.label_lower] = _plain(rows)
        for inner in model._meta.related_objects:
            if inner.on_delete is models.CASCADE:
                part: Any = inner.related_model
                of_rows = part._base_manager.filter(**{f"{inner.field.name}__in": rows})
                facts[part._meta.label_lower] = _plain(of_rows)
    documents = Document.objects.for_company(company).filter(recipient_id=party.pk)
    deliveries = Delivery.objects.for_company(company).filter(recipient_id=party.pk)
    trail = LogEntry.objects.get_for_object(party)
    facts["papers"], facts["deliveries"] = _plain(documents), _plain(deliveries)
    facts["changes"] = list(trail.values("timestamp", "actor_email", "changes"))
    return facts


def _plain(rows: "models.QuerySet[Any]") -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name not in _OF_NO_INTEREST}
        for row in rows.values()
    ]
