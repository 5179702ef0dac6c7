"""Where runs are started. `{% load runs %}{% run_starters as starters %}`"""

from dataclasses import dataclass

from django import template
from django.urls import reverse

from documents.papers import run_kinds

register = template.Library()


@dataclass(frozen=True)
class Starter:
    name: str
    label: str
    url: str


@register.simple_tag(takes_context=True)
def run_starters(context: template.Context) -> list[Starter]:
    """The kinds of runs that have a page to start one, and that the asking member may open."""
    membership = context["request"].membership
    return [
        Starter(kind.name, kind.label, reverse(kind.start_url_name))
        for kind in run_kinds()
        if kind.start_url_name and membership and membership.may_act_as(kind.start_role)
    ]
