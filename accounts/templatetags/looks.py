"""How what comes from a library looks: Bootstrap's classes for forms, a browser's name."""

from django import forms, template

from accounts.forms.looks import dress

register = template.Library()

# The first that is found says it: each also names those that it wants to be taken for.
_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@register.simple_tag
def dressed(form: forms.BaseForm) -> str:
    """Dresses `form` for what follows; placeholders that repeat the label go."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    dress(form)
    return ""


@register.filter
def browser(agent: str) -> str:
    """`Firefox on Windows`; what says neither is shown as it is, cut short."""
    names = [
        next((name for mark, name in known.items() if mark in agent), "")
        for known in (_BROWSERS, _SYSTEMS)
    ]
    return " on ".join(filter(None, names)) or agent[:40] or "Unknown"
