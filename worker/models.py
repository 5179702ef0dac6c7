"""The processes that are at work, each of which says so every few seconds."""

from django.db import models
from django.db.models.functions import Now


class Role(models.TextChoices):
    WORKER = "worker", "worker"
    DISPATCHER = "dispatcher", "dispatcher"
    BEAT = "beat", "beat"


class Presence(models.Model):
    """One process; its row goes when it ends, or an hour after it was last seen."""

    name = models.CharField(max_length=200, unique=True, help_text="Role, host and pid.")
    role = models.CharField(max_length=10, choices=Role.choices)
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list, help_text="That a worker listens to.")
    since = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["seen_at"], name="presence_seen")]

    def __str__(self) -> str:
        return self.name
