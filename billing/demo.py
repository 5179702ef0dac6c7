"""The demo company: a wholesaler's two months, seeded, the same every time.

Everything goes through the posting services, as data entry does.
"""

import heapq
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from django.core.files.base import ContentFile
from django.db import transaction
from PIL import Image, ImageDraw

from accounts.models import Company, Membership, Role, User
from billing.dates import Period
from billing.models import Balance, Invoice, InvoiceItem, Party, PaymentMethod
from billing.services import ReturnLine, issue_invoice, record_payment, record_return

SLUG = "harbour-vale"
EMAIL = "owner@harbour-vale.example"
PASSWORD = "harbour-demo-2026"  # noqa: S105  printed on the screen, for made-up data on one's own machine
PERIOD = Period.month("2026-10")
_FIRST_DAY = date(2026, 9, 1)
_SEED = 2026

# Name, town, country. The first few buy several times a day.
_PARTIES = [
    ("Thornbury Market Hall", "Thornbury", "GB"),
    ("Quayside Provisions", "Bristol", "GB"),
    ("Larkfield Garden Centres", "Maidstone", "GB"),
    ("Brasserie Lumière", "Lyon", "FR"),
    ("Kaffeehaus Österreicher", "Wien", "AT"),
    ("Old Mill Tea Rooms", "Ludlow", "GB"),
    ("Pemberton & Daughters", "Harrogate", "GB"),
    ("Zielony Sklep", "Kraków", "PL"),
    ("The Copper Kettle", "Whitby", "GB"),
    ("Ardmore Stores", "Oban", "GB"),
    ("Bakkerij De Zon", "Utrecht", "NL"),
    ("Σύρος Εισαγωγές", "Αθήνα", "GR"),
    ("Fernhill Farm Shop", "Builth Wells", "GB"),
    ("Glasshouse Florists", "York", "GB"),
    ("Hollybush Inn", "Keswick", "GB"),
    ("Inishowen Crafts", "Buncrana", "IE"),
    ("Juniper & Co.", "Edinburgh", "GB"),
    ("Kestrel Outdoor", "Fort William", "GB"),
    ("Lindqvist Handel AB", "Malmö", "SE"),
    ("Marlow Bridge Gifts", "Marlow", "GB"),
    ("Northgate Hardware", "Chester", "GB"),
    ("Otterburn Mill", "Otterburn", "GB"),
    ("Panadería San Isidro", "Sevilla", "ES"),
    ("Quill & Paper", "Bath", "GB"),
    ("Rosewood Nursery", "Truro", "GB"),
    ("Saltmarsh Smokehouse", "Aldeburgh", "GB"),
    ("Tidewater Chandlery", "Falmouth", "GB"),
    ("Upton Cross Stores", "Liskeard", "GB"),
    ("Vale Crown Hotels", "Evesham", "GB"),
    ("Wharf Street Deli", "Leeds", "GB"),
    ("Yew Tree House", "Malvern", "GB"),
    ("Zephyr Cycles", "Brighton", "GB"),
    ("Ashdown Forest Lodge", "Forest Row", "GB"),
    ("Birchwood School", "Warrington", "GB"),
    ("Cartmel Cheeses", "Cartmel", "GB"),
    ("Drystone Interiors", "Skipton", "GB"),
    ("Eastgate Pharmacy", "Louth", "GB"),
    ("Foxglove Weddings", "Stroud", "GB"),
    ("Greenway Logistics", "Crewe", "GB"),
    ("Hadrian's Rest", "Hexham", "GB"),
    ("Isca Antiques", "Exeter", "GB"),
    ("Jericho Books", "Oxford", "GB"),
    ("Kingfisher Boats", "Wroxham", "GB"),
    ("Lavender Hill Linen", "London", "GB"),
    ("Moorland Wool", "Haworth", "GB"),
    ("Newhaven Ferries Catering", "Newhaven", "GB"),
    ("Orchard End", "Ledbury", "GB"),
    ("Pilgrim Coaches", "Canterbury", "GB"),
]
_GOODS = [
    ("HV-1001", "Beeswax candle, hand dipped, 25 cm", "4.35"),
    ("HV-1014", "Enamel jug, 1.5 l, white", "11.90"),
    ("HV-1022", "Linen tea towel, striped", "5.60"),
    ("HV-1047", "Oak serving board, oiled", "18.25"),
    ("HV-1103", "Stoneware mug, speckled", "6.75"),
    ("HV-1120", "Wicker basket, large", "22.40"),
    ("HV-1131", "Glass storage jar, 0.75 l", "3.95"),
    ("HV-1166", "Seed packet, wildflower meadow", "1.15"),
    ("HV-1208", "Brass door hook", "2.85"),
    ("HV-1219", "Wool throw, herringbone", "34.00"),
    ("HV-1250", "Terracotta pot, 18 cm", "2.20"),
    ("HV-1301", "Notebook, recycled, A5", "3.10"),
]
_STREETS = ["High Street", "Station Road", "Mill Lane", "Church Walk", "The Parade", "Dock Street"]


@dataclass
class _Books:
    """One random stream for all, so that the same seed gives the same books."""

    company: Company
    by: User
    chance: random.Random


def demo_company(progress: Callable[[int, int], None]) -> Company:
    """The demo company with its books, made at the first call. `progress(done, of)` invoices."""
    company = Company.objects.filter(slug=SLUG).first()
    if company is not None:
        return company
    with transaction.atomic():
        company = _company()
        books = _Books(company, _owner(company), random.Random(_SEED))  # noqa: S311  not a secret
        parties = [_party(books, place, *facts) for place, facts in enumerate(_PARTIES)]
        _trade(books, parties, progress)
    return company


def _company() -> Company:
    company = Company(
        slug=SLUG,
        legal_name="Harbour & Vale Wholesale Ltd",
        address="14 Merchant Quay\nBristol BS1 4RL",
        country="GB",
        tax_id="GB 000 0000 00",
        email="accounts@harbour-vale.example",
        phone="+44 117 496 0000",
        payment_details=(
            "Bank transfer to Harbour & Vale Wholesale Ltd\n"
            "Sort code 00-00-00 · Account 00000000\n"
            "Please quote your account code."
        ),
        currency="GBP",
        locale="en_GB",
        time_zone="Europe/London",
    )
    company.logo.save("harbour-vale.png", ContentFile(_logo()), save=False)
    company.save()
    return company


def _logo() -> bytes:
    """Three hills over water in a circle, drawn here."""
    picture = Image.new("RGB", (480, 480), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((8, 8, 472, 472), fill="#14483f")
    draw.polygon([(70, 330), (190, 150), (300, 330)], fill="#f4efe2")
    draw.polygon([(200, 330), (300, 200), (410, 330)], fill="#d9b65c")
    draw.rectangle((60, 330, 420, 344), fill="#f4efe2")
    for row in range(3):
        top = 362 + row * 26
        draw.rectangle((110 + row * 34, top, 370 - row * 34, top + 10), fill="#7fb3a6")
    content = io.BytesIO()
    picture.resize((240, 240), Image.Resampling.LANCZOS).save(content, "PNG", optimize=True)
    return content.getvalue()


def _owner(company: Company) -> User:
    user = User.objects.filter(email=EMAIL).first() or User.objects.create_user(
        EMAIL, PASSWORD, name="Olive Harbour"
    )
    Membership.objects.create(user=user, company=company, role=Role.OWNER)
    return user


def _party(books: _Books, place: int, name: str, town: str, country: str) -> Party:
    street = f"{books.chance.randint(1, 120)} {books.chance.choice(_STREETS)}"
    party = Party.objects.create(
        company=books.company,
        code=f"C{place + 101}",
        name=name,
        # A few have none, as in life: a statement run says who can't be mailed.
        email="" if place % 11 == 7 else f"accounts{place + 101}@customer.example",
        address=f"{street}\n{town}",
        country=country,
        payment_terms_days=books.chance.choice([14, 30, 30, 60]),
        is_active=place != len(_PARTIES) - 1,
    )
    opening = Decimal(books.chance.choice([0, 0, 0, 180, 412.5, 96.2])).quantize(Decimal("0.01"))
    Balance.objects.create(
        company=books.company,
        party=party,
        opening=opening,
        opening_date=_FIRST_DAY - timedelta(days=45),
        current=opening,
    )
    return party


Event = Callable[[date], None]


def _trade(books: _Books, parties: Sequence[Party], progress: Callable[[int, int], None]) -> None:
    """Two months, day by day, as they would be entered: numbers follow the dates."""
    diary = sorted(
        (_day(books), place)
        for place in range(len(parties) - 2)  # of the last two, one left and one bought nothing
        for _ in range(_how_many(books, place))
    )
    # Payments and returns fall due later: (day, order of entry, what).
    later: list[tuple[date, int, Event]] = []
    for done, (day, place) in enumerate(diary, start=1):
        _settle(later, until=day)
        invoice = _invoice(books, parties[place], day)
        event = _what_follows(books, invoice, done)
        if event:
            heapq.heappush(later, (_later(books, day), done, event))
        progress(done, len(diary))
    _settle(later, until=PERIOD.end)


def _settle(later: list[tuple[date, int, Event]], *, until: date) -> None:
    while later and later[0][0] <= until:
        day, _, event = heapq.heappop(later)
        event(day)


def _what_follows(books: _Books, invoice: Invoice, number: int) -> Event | None:
    """Most invoices are paid after a while; some goods come back; some pay on account."""
    if number % 60 == 0:
        return partial(_on_account, books, invoice.party)
    luck = books.chance.random()
    if luck < 0.06:
        return partial(_return, books, invoice)
    return partial(_payment, books, invoice) if luck < 0.6 else None


def _how_many(books: _Books, place: int) -> int:
    return (230, 150, 90)[place] if place < 3 else books.chance.randint(2, 14)


def _day(books: _Books) -> date:
    return _FIRST_DAY + timedelta(days=books.chance.randrange((PERIOD.end - _FIRST_DAY).days + 1))


def _invoice(books: _Books, party: Party, day: date) -> Invoice:
    invoice = Invoice.objects.create(
        company=books.company,
        party=party,
        invoice_date=day,
        due_date=day + timedelta(days=party.payment_terms_days),
        currency=books.company.currency,
        created_by=books.by,
    )
    goods = books.chance.sample(_GOODS, books.chance.randint(1, 5))
    InvoiceItem.objects.bulk_create(
        InvoiceItem(
            invoice=invoice,
            position=position,
            sku=sku,
            description=description,
            quantity=books.chance.choice([2, 4, 6, 10, 12, 24, 48]),
            unit_price=Decimal(price),
            tax_rate=Decimal(20) if party.country == "GB" else Decimal(0),
        )
        for position, (sku, description, price) in enumerate(goods, start=1)
    )
    return issue_invoice(invoice=invoice, by=books.by)


def _payment(books: _Books, invoice: Invoice, day: date) -> None:
    half = (invoice.total / 2).quantize(Decimal("0.01"))
    record_payment(
        party=invoice.party,
        invoice=invoice,
        amount=invoice.total if books.chance.random() < 0.8 else half,
        payment_date=day,
        method=books.chance.choice([PaymentMethod.BANK, PaymentMethod.CARD]),
        by=books.by,
    )


def _on_account(books: _Books, party: Party, day: date) -> None:
    record_payment(
        party=party,
        amount=Decimal(books.chance.randrange(50, 400)),
        payment_date=day,
        by=books.by,
    )


def _return(books: _Books, invoice: Invoice, day: date) -> None:
    item = invoice.items.order_by("position")[0]
    record_return(
        party=invoice.party,
        invoice=invoice,
        lines=[ReturnLine(item=item, quantity=(item.quantity / 2).quantize(Decimal(1)))],
        return_date=day,
        reason="Damaged in transit",
        by=books.by,
    )


def _later(books: _Books, day: date) -> date:
    return min(day + timedelta(days=books.chance.randint(1, 35)), PERIOD.end)
