"""A statement in each script that papers are printed in, and a covering list with all of them."""

from datetime import date
from decimal import Decimal
from typing import Any

from billing.snapshots import Row, batch_list_snapshot, company_facts
from documents.models import Batch
from documents.rendering import Rendered, render_paper
from tests.billing.paper_samples import company
from tests.documents.rendering.samples import PARTY, statement

# By script: a locale, a party's name and what is written in the lines.
SCRIPTS = {
    "latin": ("de_DE", "Müller & Søn Łódź", "Größe, naïve façade, İstanbul, ħ ſ ŵ"),
    "devanagari": ("hi_IN", "क्षत्रिय वस्त्र भंडार", "कार्तिक माह का हिसाब, ज्ञान"),
    "bengali": ("bn_BD", "রহিম ট্রেডার্স", "কর্তৃপক্ষ, ক্ষুদ্র ঋণ, স্ত্রী"),
    "arabic": ("ar_EG", "متجر الواحة الخضراء", "بضائع متنوعة لا إله"),
    "hebrew": ("he_IL", "חנות הנווה בע״מ", "סחורה שונה, שָׁלוֹם"),
    "thai": ("th_TH", "ร้านน้ำใจไทย", "สินค้าทั่วไป ก๊วยเตี๋ยว ผู้ซื้อ"),
    "cjk": ("ja_JP", "直送カタカナ株式会社", "商品 骨董品 繁體中文 简体 한국어"),
}


def sheet(script: str) -> Rendered:
    locale, name, text = SCRIPTS[script]
    snapshot = statement(6, locale=locale, party={**PARTY, "name": name})
    for line in snapshot["lines"]:
        line[3] = text
    return render_paper(template="pdf/statement.html", snapshot=snapshot, assets={})


def covering_list(count: int) -> dict[str, Any]:
    """A run of so many parties: each tenth left out, each twenty-third failed."""
    names = [name for _, name, _ in SCRIPTS.values()]
    rows = []
    for place in range(count):
        code, name = f"C-{17000 + place}", names[place % 7] if place % 3 == 0 else "Harbour & Hill"
        if place % 10 == 4:
            rows.append(Row(code, name, None, 0, "left_out", "zero balance"))
        elif place % 23 == 7:
            rows.append(
                Row(code, name, Decimal(9), 0, "failed", "It took longer than 120 seconds.")
            )
        else:
            rows.append(Row(code, name, Decimal(place) / 4, 2, "ready", ""))
    batch = Batch(
        company=company(),
        title="Statements March 2026",
        period_start=date(2026, 3, 1),
        period_end=date(2026, 3, 31),
    )
    return batch_list_snapshot(issuer=company_facts(batch.company), batch=batch, rows=rows)
