"""Amounts and days as the company's people read them, for the pages of the office."""

from datetime import date
from decimal import Decimal

from django import template

from accounts.models import Company
from documents import formatting
from documents.templatetags.display import money

register = template.Library()


@register.filter
def sum_for(value: Decimal | None, company: Company) -> str:
    """`1,234.50`; nothing for none, so that what is there stands out."""
    if not value:
        return ""
    return formatting.amount(Decimal(value).normalize(), company.currency, company.locale)


@register.filter
def money_for(value: Decimal | None, company: Company) -> str:
    """`£1,234.50`, also for nothing: `£0.00`."""
    return money(Decimal(value or 0), company.currency, company)


@register.filter
def day_for(value: date | None, company: Company) -> str:
    return formatting.date(value, company.locale) if value else ""
