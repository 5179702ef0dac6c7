"""Who asked for a paper. The same paper may be asked for by several people; each is told."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.scoping import CompanyManager, CompanyOwned
from documents.models.documents import Document


class DocumentRequest(CompanyOwned):
    """One person's wish for one document. Papers of a run have none: its requester is told once."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="requests")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="document_requests"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[CompanyManager["DocumentRequest"]] = CompanyManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "user"], name="document_request_once_per_user"
            )
        ]
        indexes = [models.Index(fields=["company", "user"], name="document_request_mine")]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.document_id}"
