"""What goods that come back of an invoice are worth, so that the pieces add up to the whole.

Each return is what has come back with it, less what the returns before it came to. The last piece
of a line is thus the exact remainder of the line's amount, and all of the goods together are
exactly what the invoice has for its goods, after its discount and with its tax.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Sum

from billing.models import Invoice, InvoiceItem, Return, ReturnItem
from billing.money import ZERO, LineAmount, goods_value, round_money, share_of_line


class Returned:
    """The returns of one locked invoice so far."""

    def __init__(self, invoice: Invoice) -> None:
        self._invoice = invoice
        self._sold: dict[int, InvoiceItem] = {item.pk: item for item in invoice.items.all()}
        self._quantities: defaultdict[int, Decimal] = defaultdict(Decimal)
        self._nets: defaultdict[int, Decimal] = defaultdict(Decimal)
        self._add_earlier()

    def _add_earlier(self) -> None:
        rows = ReturnItem.objects.filter(
            invoice_item__invoice_id=self._invoice.pk, return_document__is_active=True
        )
        sums = rows.order_by().values_list("invoice_item_id")
        for item_id, quantity, net in sums.annotate(Sum("quantity"), Sum("net")):
            self._quantities[item_id] = round(Decimal(quantity), 3)
            self._nets[item_id] = self._rounded(net)

    def take(self, items: Iterable[ReturnItem]) -> tuple[Decimal, Decimal]:
        """Set each item's net, and return (net, tax) of all of them as one return."""
        for item in items:
            item.net = self._take(item)
        value = goods_value(
            [self._share(pk, sold) for pk, sold in self._sold.items()],
            of=[LineAmount(net=sold.net, tax_rate=sold.tax_rate) for sold in self._sold.values()],
            discount=self._invoice.discount,
            currency=self._invoice.currency,
            prices_include_tax=self._invoice.prices_include_tax,
        )
        earlier = Return.objects.for_company(self._invoice.company_id).filter(
            invoice_id=self._invoice.pk
        )
        sums = earlier.aggregate(net=Sum("net", default=ZERO), tax=Sum("tax", default=ZERO))
        # A deleted return may leave its neighbours a minor unit ahead.
        return (
            max(value[0] - self._rounded(sums["net"]), ZERO),
            max(value[1] - self._rounded(sums["tax"]), ZERO),
        )

    def _take(self, item: ReturnItem) -> Decimal:
        pk = item.invoice_item_id
        if pk is None:
            raise ValueError("An item of a return of an invoice names the invoice's item.")
        self._quantities[pk] += item.quantity
        net = max(self._share(pk, self._sold[pk]).net - self._nets[pk], ZERO)
        self._nets[pk] += net
        return net

    def _share(self, pk: int, sold: InvoiceItem) -> LineAmount:
        net = share_of_line(
            net=sold.net,
            part=self._quantities[pk],
            quantity=sold.quantity,
            currency=self._invoice.currency,
        )
        return LineAmount(net=net, tax_rate=sold.tax_rate)

    def _rounded(self, amount: Decimal) -> Decimal:
        return round_money(Decimal(amount), self._invoice.currency)
