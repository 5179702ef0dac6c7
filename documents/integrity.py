"""Is what lies in the archive still what was made?"""

from documents.archive import Damaged, Missing, archive
from documents.models import Damage, Document


def damage_of(document: Document) -> str:
    """What is wrong with the file of a ready document; empty when it is there and whole."""
    try:
        archive().open_checked(document.storage_key, document.sha256).close()
    except Missing:
        return Damage.MISSING
    except Damaged:
        return Damage.CHANGED
    return ""
