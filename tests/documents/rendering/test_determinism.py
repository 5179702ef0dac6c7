"""The same snapshot gives the same bytes, here and in another process on another day."""

import hashlib
import json
import os
import subprocess
import sys

from documents.rendering import Asset
from tests.documents.rendering.samples import png, printed, statement

LOGO = png()
NAME = hashlib.sha256(LOGO).hexdigest()

SCRIPT = """
import hashlib, json, sys
import django
django.setup()
from documents.rendering import Asset, render_paper
snapshot, logo = json.load(sys.stdin)
assets = {snapshot["company"]["logo"]["sha256"]: Asset("image/png", bytes.fromhex(logo))}
paper = render_paper(template="pdf/statement.html", snapshot=snapshot, assets=assets)
print(hashlib.sha256(paper.content).hexdigest())
"""


def sample():
    snapshot = statement(40)
    snapshot["company"]["logo"] = {"sha256": NAME, "media_type": "image/png"}
    for line, text in zip(snapshot["lines"], SCRIPTS, strict=False):
        line[3] = text
    return snapshot


SCRIPTS = [
    "Щука",
    "Ωμέγα",
    "क्षत्रिय",
    "কর্তৃপক্ষ",
    "العربية",
    "שלום",
    "น้ำใจ",
    "直送 カタカナ",
    "한국어",
]


def digest(snapshot):
    paper = printed(snapshot, {NAME: Asset("image/png", LOGO)})
    return hashlib.sha256(paper.content).hexdigest()


def test_the_bytes_are_the_same_after_other_renders_in_the_process():
    first = digest(sample())
    printed(statement(3, locale="ar", currency="SAR"))
    printed(statement(60, locale="ja", page_size="Letter"))
    assert digest(sample()) == first


def test_the_bytes_are_the_same_in_another_process_with_another_environment(tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PRESSROOM_VAR_DIR": str(tmp_path),
        "LC_ALL": "ja_JP.UTF-8",
        "LANGUAGE": "zh_TW:ko",
        "TZ": "Pacific/Auckland",
        "PYTHONHASHSEED": "123",
        "SOURCE_DATE_EPOCH": "1",
    }
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps([sample(), LOGO.hex()]),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == digest(sample())


def test_the_order_of_keys_does_not_matter():
    snapshot = sample()
    turned = dict(reversed(snapshot.items()))
    assert digest(turned) == digest(snapshot)


def test_a_web_process_imports_the_package_without_weasyprint():
    script = (
        "import django, sys; django.setup(); import documents.rendering, documents.formatting;"
        "import documents.templatetags.paper; sys.exit('weasyprint' in sys.modules)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_a_logo_kept_from_an_earlier_render_gives_the_same_bytes():
    snapshot = statement(1)
    for mode in ("RGBA", "RGB", "LA", "P"):
        logo = png(mode, (31, 17))
        name = hashlib.sha256(logo).hexdigest()
        snapshot["company"]["logo"] = {"sha256": name, "media_type": "image/png"}
        papers = {printed(snapshot, {name: Asset("image/png", logo)}).content for _ in range(3)}
        assert len(papers) == 1
