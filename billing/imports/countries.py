"""Country names as people write them in sales files, as codes of ISO 3166."""

from functools import cache

from babel import Locale

_ALSO = {
    "eire": "IE",
    "usa": "US",
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "rsa": "ZA",
    "czech republic": "CZ",
    "uae": "AE",
    "hong kong": "HK",
    "korea": "KR",
    "turkey": "TR",
}


def country_code(name: str) -> str:
    """`"United Kingdom"` and `"gb"` are `"GB"`; a name that is no country's is the empty text."""
    plain = " ".join(name.split()).casefold()
    return _codes().get(plain, "")


@cache
def _codes() -> dict[str, str]:
    territories = Locale.parse("en").territories
    codes = {code: label for code, label in territories.items() if len(code) == 2}
    by_name = {str(label).casefold(): code for code, label in codes.items()}
    by_code = {code.casefold(): code for code in codes}
    return {**by_name, **by_code, **_ALSO}
