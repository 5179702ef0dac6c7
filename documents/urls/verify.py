"""Is this file what was issued, and is the archive whole?"""

from django.urls import URLPattern, path

from documents.views.archive import ArchiveView
from documents.views.verify import VerifyView

urlpatterns: list[URLPattern] = [
    path("", VerifyView.as_view(), name="verify"),
    path("archive/", ArchiveView.as_view(), name="archive"),
]
