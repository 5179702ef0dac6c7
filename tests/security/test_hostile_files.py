"""Files that are two things at once: of a picture only its pixels are kept, whatever else it is."""

import io
import zipfile

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from accounts.logos import clean_logo
from accounts.models import Role
from tests.factories import PDF, member
from tests.security.world import signed_in

SCRIPT = b"<script>alert(document.domain)</script>"
CODE = b"*/=1;alert(1)//"


def picture(kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "navy").save(file, kind, **options)
    return file.getvalue()


def packed() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("evil.html", SCRIPT)
    return file.getvalue()


def with_text() -> bytes:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", SCRIPT.decode())
    return picture("PNG", pnginfo=info)


def gif_of_code() -> bytes:
    """A GIF whose width is the beginning of a comment of JavaScript, which its end closes."""
    gif = bytearray(picture("GIF"))
    gif[6:10] = b"/*\x14\x00"
    return bytes(gif) + CODE


POLYGLOTS = {
    "png and zip": ("logo.png", picture("PNG") + packed()),
    "jpeg and pdf": ("logo.jpg", picture("JPEG") + PDF),
    "pdf in a comment of a jpeg": ("logo.jpg", picture("JPEG", comment=PDF + SCRIPT)),
    "gif and script": ("logo.gif", picture("GIF") + b";" + CODE + SCRIPT),
    "gif that is a script": ("logo.gif", gif_of_code()),
    "png and page": ("logo.png", picture("PNG") + b"<!doctype html>" + SCRIPT),
    "png with page in its texts": ("logo.png", with_text()),
    "png with page in its colours": ("logo.png", picture("PNG", icc_profile=SCRIPT * 9)),
    "webp and shell": ("logo.webp", picture("WEBP") + b"\n#!/bin/sh\nid\n"),
}


@pytest.mark.parametrize(("name", "content"), POLYGLOTS.values(), ids=POLYGLOTS.keys())
def test_what_else_a_picture_was_is_gone_or_it_is_refused(name, content):
    assert any(
        mark in content for mark in (b"PK\3\4", b"%PDF", b"script", CODE, b"#!/bin", b"iCCP")
    )
    try:
        kept = clean_logo(SimpleUploadedFile(name, content)).read()
    except ValidationError:
        return
    assert kept.startswith(b"\x89PNG\r\n\x1a\n")
    assert not zipfile.is_zipfile(io.BytesIO(kept))
    for mark in (b"PK\3\4", b"%PDF", b"script", b"alert", b"#!/bin", b"iTXt", b"iCCP"):
        assert mark not in kept
    assert kept.endswith(b"IEND\xaeB`\x82")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["gif that is a script", "png and page"])
def test_what_is_served_is_a_picture_and_nothing_that_runs(name, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    client = signed_in(member(Role.OWNER).user)
    client.post(reverse("accounts:upload_logo"), {"logo": SimpleUploadedFile(*POLYGLOTS[name])})
    answer = client.get(reverse("accounts:logo"))
    if answer.status_code == 404:  # it was refused
        return
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"alert" not in b"".join(answer)
