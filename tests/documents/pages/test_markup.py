"""No page has anything inline that a policy without `unsafe-inline` would block."""

from html.parser import HTMLParser

import pytest
from django.urls import reverse

from documents.archive import archive
from tests.factories import BatchFactory, BatchItemFactory, DocumentFactory


class Findings(HTMLParser):
    """What the policy would block, and what a reader with other senses would miss."""

    def __init__(self, body):
        super().__init__()
        self.wrong, self.labels, self.fields, self.ids = [], set(), [], []
        self._script = False
        self.feed(body)
        self.wrong += [f"no label: {field}" for field in self.fields if field not in self.labels]
        self.wrong += [f"twice: {name}" for name in set(self.ids) if self.ids.count(name) > 1]

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "style" or "style" in values:
            self.wrong.append(f"inline style: {tag} {values}")
        self.wrong += [
            f"handler: {tag} {name}" for name in values if name.startswith(("on", "hx-on"))
        ]
        if tag == "script" and "src" not in values:
            self.wrong.append("inline script")
        for name in ("src", "href", "action"):
            if (values.get(name) or "").startswith(("http:", "https:", "//", "javascript:")):
                self.wrong.append(f"from elsewhere: {values[name]}")
        if tag == "label":
            self.labels.add(values.get("for"))
        is_field = tag == "input" and values.get("type") not in ("hidden", "submit")
        if (is_field or tag in ("select", "textarea")) and "aria-label" not in values:
            self.fields.append(values.get("id"))
        if "id" in values:
            self.ids.append(values["id"])


@pytest.fixture
def bodies(client, company):
    ready = DocumentFactory.create(company=company, ready=True)
    failed = DocumentFactory.create(company=company, failed=True)
    damaged = DocumentFactory.create(company=company, ready=True)
    DocumentFactory.create(company=company)
    batch = BatchItemFactory.create(batch__company=company, document=ready).batch
    BatchItemFactory.create(batch=batch, document=None, skipped_reason="No movement.")
    planning = BatchFactory.create(company=company, state="planning")
    damaged.storage_key = "gone"
    damaged.save()
    assert archive()
    urls = [
        reverse("documents:list"),
        reverse("documents:list") + "?q=nothing",
        reverse("documents:batches"),
        batch.get_absolute_url(),
        planning.get_absolute_url(),
        ready.get_absolute_url(),
        failed.get_absolute_url(),
        reverse("documents:download", args=[failed.pk]),
        reverse("documents:download", args=[damaged.pk]),
        "/nowhere/",
    ]
    return {url: client.get(url) for url in urls}


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(bodies):
    for url, response in bodies.items():
        assert Findings(response.content.decode()).wrong == [], url


def test_every_page_has_a_closed_policy(bodies):
    for url, response in bodies.items():
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy, url
        assert "unsafe" not in policy, url


def test_every_page_has_its_title_its_landmarks_and_one_heading(bodies):
    titles = set()
    for url, response in bodies.items():
        body = response.content.decode()
        titles.add(body.split("<title>")[1].split("</title>")[0])
        assert body.count("<h1") == 1, url
        for landmark in ("<main", "<header", "<nav", 'class="skip-link"', 'lang="en"'):
            assert landmark in body, url
    assert len(titles) == len(bodies) - 1  # the list and the same list without a match


def test_the_parser_finds_what_it_looks_for():
    body = '<p style="x" onclick="y"><script>z</script><input id="a"><a href="//evil"></a>'
    assert len(Findings(body).wrong) == 5
