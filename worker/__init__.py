"""The async engine: it moves leased work along and knows nothing of documents."""

from worker.celery import app as celery_app

__all__ = ["celery_app"]
