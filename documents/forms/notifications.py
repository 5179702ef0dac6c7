"""How a user wants to be told beside the bell."""

from typing import Any

from django import forms

from accounts.forms.looks import dress
from accounts.models import Membership, Role
from documents.models import NotificationChoice


class ChoiceForm(forms.ModelForm[NotificationChoice]):
    class Meta:
        model = NotificationChoice
        fields = ("documents", "runs", "warnings")
        labels = {"documents": "Documents", "runs": "Runs", "warnings": "Warnings"}
        help_texts = {
            "documents": "Each paper that you asked for, when it is ready or could not be made.",
            "runs": "Each run that you started, when it is finished or could not be.",
            "warnings": "Files that are lost or changed, and webhooks that don't arrive.",
        }

    def __init__(self, *args: Any, membership: Membership, **options: Any) -> None:
        super().__init__(*args, **options)
        if not membership.may_act_as(Role.OWNER):
            self.fields.pop("warnings")  # which go to owners
        dress(self)
