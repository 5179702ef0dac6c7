"""The decimals of the domain, each of one shape everywhere."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


def amount_field(**options: Any) -> models.DecimalField[Any, Any]:
    """Money: 15 digits before the point, 3 after it: no company may have a currency of more."""
    return models.DecimalField(max_digits=18, decimal_places=3, **{"default": 0, **options})


def quantity_field() -> models.DecimalField[Any, Any]:
    return models.DecimalField(max_digits=15, decimal_places=3)


def price_field(**options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(max_digits=18, decimal_places=4, **options)


def percent_field(**options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        max_digits=7,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        **options,
    )


def is_sum(name: str, whole: str, parts: models.expressions.Combinable) -> models.CheckConstraint:
    """A named CHECK that `whole` equals `parts`, to half the last digit.

    SQLite keeps decimals as binary floats; on PostgreSQL, where they are exact, this is equality.
    """
    half = Decimal("0.0005")
    return models.CheckConstraint(
        condition=models.Q(**{f"{whole}__gt": parts - half, f"{whole}__lt": parts + half}),
        name=name,
    )


def begins_with(column: str, *, name: str) -> models.Index:
    """For searches by how a text of the company begins, whatever order the database sorts in."""
    classes = ["uuid_ops", "varchar_pattern_ops"]
    return models.Index(fields=["company", column], opclasses=classes, name=name)
