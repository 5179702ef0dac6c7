"""The processes that are at work, each of which says so every few seconds; and what is counted."""

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
    memory_kb = models.PositiveBigIntegerField(db_default=0, help_text="Its children's included.")
    # Of a worker: {pid: kB} of each child.
    children = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    since = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["seen_at"], name="presence_seen")]

    def __str__(self) -> str:
        return self.name


class Mark(models.Model):
    """When something was last done, or up to when: a pass of the dispatchers, what was counted."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.name} · {self.at}"


class Tally(models.Model):
    """A count that only grows, of what seldom happens: who counts locks the row."""

    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    total = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(fields=["name", "kind"], name="tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.kind}: {self.total}"
