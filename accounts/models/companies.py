"""The company: the issuer of every paper, and the border that no row crosses."""

import uuid
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_precision, is_currency
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from accounts.payment_links import validate_payment_url_pattern

# Where US Letter is the paper in the printer (CLDR supplemental data, paperSize).
_LETTER_COUNTRIES = frozenset(
    {"US", "CA", "MX", "BZ", "CL", "CO", "CR", "GT", "NI", "PA", "PH", "PR", "SV", "VE"}
)
_MOST_MINOR_DIGITS = 3  # what a column of amounts holds


class PageSize(models.TextChoices):
    A4 = "A4", "A4"
    LETTER = "Letter", "US Letter"


def validate_currency(value: str) -> None:
    if not is_currency(value):
        raise ValidationError(f"{value!r} is not a currency code of ISO 4217, such as GBP.")
    if get_currency_precision(value) > _MOST_MINOR_DIGITS:
        raise ValidationError(
            f"{value} has more than {_MOST_MINOR_DIGITS} digits after the point, which amounts"
            " can't hold."
        )


def validate_locale(value: str) -> None:
    try:
        Locale.parse(value)
    except (UnknownLocaleError, ValueError) as error:
        raise ValidationError(f"{value!r} is not a known locale, such as en_GB.") from error


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(f"{value!r} is not a known time zone, such as Europe/London.")


validate_country = RegexValidator(
    r"^[A-Z]{2}\Z", "A country is two capital letters of ISO 3166, such as GB."
)


class Company(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    legal_name = models.CharField(max_length=200)
    address = models.TextField(blank=True, help_text="One line of the address a line.")
    country = models.CharField(max_length=2, blank=True, validators=[validate_country])
    tax_id = models.CharField("tax id", max_length=50, blank=True)
    email = models.EmailField("e-mail", blank=True)
    phone = models.CharField(max_length=40, blank=True)
    payment_details = models.TextField(
        blank=True, help_text="How to pay, as printed on papers: bank, account, IBAN."
    )
    payment_url_pattern = models.CharField(
        "payment link",
        max_length=300,
        blank=True,
        validators=[validate_payment_url_pattern],
        help_text="Where an invoice is paid, printed on it as a QR code: an https address with"
        " {number}, {amount} and {currency} in it.",
    )
    logo = models.ImageField(upload_to="logos/", blank=True)
    currency = models.CharField(max_length=3, default="GBP", validators=[validate_currency])
    locale = models.CharField(max_length=20, default="en_GB", validators=[validate_locale])
    fiscal_year_start_month = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    time_zone = models.CharField(max_length=50, default="UTC", validators=[validate_time_zone])
    # How it sells. Each invoice copies these when it is drafted, and may differ.
    prices_include_tax = models.BooleanField(default=False)
    total_rounding_step = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="Totals are rounded to a multiple of this, such as 0.05; 0: not rounded.",
    )
    payment_terms_days = models.PositiveSmallIntegerField(
        default=30, validators=[MaxValueValidator(3650)], help_text="Of parties that are added."
    )
    terms = models.TextField(blank=True, help_text="Printed on invoices.")
    tax_rates = models.JSONField(
        default=list, blank=True, help_text="The rates offered, in per cent, as texts."
    )
    # Per series, such as {"INV": "INV-{year}-{number:05}"}; what is missing has its default.
    number_patterns = models.JSONField(default=dict, blank=True)
    books_closed_until = models.DateField(
        null=True, blank=True, help_text="Nothing is posted, changed or voided up to this day."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "companies"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(fiscal_year_start_month__range=(1, 12)),
                name="company_fiscal_year_start_month_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(total_rounding_step__gte=0),
                name="company_rounding_step_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.legal_name

    @property
    def page_size(self) -> PageSize:
        return PageSize.LETTER if self.country in _LETTER_COUNTRIES else PageSize.A4

    @property
    def address_lines(self) -> list[str]:
        return [line.strip() for line in self.address.splitlines() if line.strip()]
