"""Rows belong to a company: the base model, its managers, and the guard that finds a leak.

While a request is being answered, a query on a company's rows that names no company raises
`UnscopedQuery` instead of running. Commands and tasks work across companies and are not guarded.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar

from django.db import models

from accounts.models import Company

_answering_request: ContextVar[bool] = ContextVar("answering_request", default=False)

ModelT = TypeVar("ModelT", bound=models.Model, covariant=True)


class UnscopedQuery(RuntimeError):
    """A view asked for rows without saying of which company."""


@contextmanager
def company_scope_required() -> Iterator[None]:
    token = _answering_request.set(True)
    try:
        yield
    finally:
        _answering_request.reset(token)


class CompanyQuerySet(models.QuerySet[ModelT]):
    """A queryset that knows whether it was narrowed to one company."""

    _is_scoped = False

    def for_company(self, company: Company | uuid.UUID) -> Self:
        scoped = self.filter(company=company)
        scoped._is_scoped = True
        return scoped

    def across_companies(self) -> Self:
        """For the admin and for maintenance: says in the code that every company is meant."""
        wide = self.all()
        wide._is_scoped = True
        return wide

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._is_scoped = self._is_scoped
        return clone

    def __or__(self, other: Any) -> Any:
        both = super().__or__(other)
        if both is not self and both is not other:  # as it is when one of them is none()
            both._is_scoped = self._is_scoped and getattr(other, "_is_scoped", False)
        return both

    def _guard(self) -> None:
        if not _answering_request.get() or self._is_scoped:
            return
        if "instance" in self._hints:  # type: ignore[attr-defined]
            return  # reached from a row that was itself fetched in scope
        raise UnscopedQuery(
            f"{self.model.__name__} was queried without a company: start from for_company()."
        )

    def _fetch_all(self) -> None:
        self._guard()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        self._guard()
        return super().iterator(*args, **kwargs)

    def count(self) -> int:
        self._guard()
        return super().count()

    def exists(self) -> bool:
        self._guard()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._guard()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._guard()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._guard()
        return super().delete()


class CompanyManager(models.Manager[ModelT]):
    """`Model.objects.for_company(company)` is where every query of a view starts."""

    def get_queryset(self) -> CompanyQuerySet[ModelT]:
        hints = self._hints  # type: ignore[attr-defined]
        return CompanyQuerySet(self.model, using=self._db, hints=hints)

    def for_company(self, company: Company | uuid.UUID) -> CompanyQuerySet[ModelT]:
        return self.get_queryset().for_company(company)

    def across_companies(self) -> CompanyQuerySet[ModelT]:
        return self.get_queryset().across_companies()


class ActiveCompanyManager(CompanyManager[ModelT]):
    """Rows that were not soft-deleted."""

    def get_queryset(self) -> CompanyQuerySet[ModelT]:
        return super().get_queryset().filter(is_active=True)


class CompanyOwned(models.Model):
    """A row of one company, with an id that can't be guessed or counted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[CompanyManager[Self]] = CompanyManager()

    class Meta:
        abstract = True
