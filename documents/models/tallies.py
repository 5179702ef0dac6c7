"""How many papers were made and how long it took: kept by the dispatcher, see services/tallies."""

from django.db import models

# Upper edges: milliseconds that a render took, bytes of a file. The last bucket has none.
RENDER_EDGES = (50, 100, 200, 300, 500, 750, 1000, 2000, 5000, 10_000, 30_000, 60_000)
SIZE_EDGES = (10_000, 20_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000, 25_000_000)


class PaperTally(models.Model):
    """Of all papers of a kind that ended so; it only grows."""

    kind = models.CharField(max_length=30)
    outcome = models.CharField(max_length=10)
    papers = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveBigIntegerField(default=0)
    milliseconds = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    # How many are within each edge, those within the one before included.
    renders_within = models.JSONField(default=list)
    sizes_within = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "paper tallies"
        constraints = [
            models.UniqueConstraint(fields=["kind", "outcome"], name="paper_tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.outcome}: {self.papers}"


class PaperMinute(models.Model):
    """The same by the minute in which they ended, for a day and a bit."""

    minute = models.DateTimeField()
    outcome = models.CharField(max_length=10)
    papers = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["minute", "outcome"], name="paper_minute_once"),
        ]

    def __str__(self) -> str:
        return f"{self.minute} {self.outcome}: {self.papers}"
