"""Bootstrap's classes for forms that come from a library."""

from django import forms, template

from accounts.forms.looks import dress

register = template.Library()


@register.simple_tag
def dressed(form: forms.BaseForm) -> str:
    """Dresses `form` for what follows; placeholders that repeat the label go."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    dress(form)
    return ""
