"""The fonts that papers are set in: which files, and what is missing."""

import ctypes.util
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

# Where Debian's fonts-noto-core and fonts-noto-cjk put their files.
DIRECTORIES = (
    Path("/usr/share/fonts/truetype/noto"),
    Path("/usr/share/fonts/opentype/noto"),
)

# One upright sans serif a script: fewer faces are quicker to match.
REFUSED = (
    "*Italic.ttf",
    "NotoKufiArabic-*",
    "NotoNaskhArabic-*",
    "NotoNastaliqUrdu-*",
    "NotoRashiHebrew-*",
    "NotoSansAdlamUnjoined-*",
    "NotoSansDisplay-*",
    "NotoSansTifinagh?*-*",
    "NotoSerif*",
)
# Scripts that Noto draws with a serif only.
ACCEPTED = (
    "NotoSerifAhom-*",
    "NotoSerifDogra-*",
    "NotoSerifNyiakengPuachueHmong-*",
    "NotoSerifTangut-*",
    "NotoSerifTibetan-*",
    "NotoSerifYezidi-*",
)

# A file that stands for each script of the design, and the Debian package that brings it.
NEEDED = {
    "NotoSans-Regular.ttf": ("Latin, Cyrillic and Greek", "fonts-noto-core"),
    "NotoSans-Bold.ttf": ("bold Latin, Cyrillic and Greek", "fonts-noto-core"),
    "NotoSansDevanagari-Regular.ttf": ("Devanagari", "fonts-noto-core"),
    "NotoSansBengali-Regular.ttf": ("Bengali", "fonts-noto-core"),
    "NotoSansArabic-Regular.ttf": ("Arabic", "fonts-noto-core"),
    "NotoSansHebrew-Regular.ttf": ("Hebrew", "fonts-noto-core"),
    "NotoSansThai-Regular.ttf": ("Thai", "fonts-noto-core"),
    "NotoSansCJK-Regular.ttc": ("Chinese, Japanese and Korean", "fonts-noto-cjk"),
}


def is_used(name: str) -> bool:
    """Whether papers may be set in the font file of this name."""
    if any(fnmatch(name, pattern) for pattern in ACCEPTED):
        return True
    return not any(fnmatch(name, pattern) for pattern in REFUSED)


@cache
def font_files() -> tuple[Path, ...]:
    """The font files in use, `NotoSans-Regular.ttf` first, then by name."""
    found = (path for folder in DIRECTORIES for path in folder.glob("*.tt[fc]"))
    used = [path for path in found if is_used(path.name)]
    return tuple(sorted(used, key=lambda path: (path.name != "NotoSans-Regular.ttf", path.name)))


def font_problems() -> list[str]:
    """What this machine lacks for printing, a line each with the package to install; [] if none."""
    names = {path.name for folder in DIRECTORIES for path in folder.glob("*.tt[fc]")}
    problems = [
        f"No font for {script} ({name}): install the Debian package {package}."
        for name, (script, package) in NEEDED.items()
        if name not in names
    ]
    if ctypes.util.find_library("harfbuzz-subset") is None:
        problems.append(
            "The library harfbuzz-subset is missing, PDFs would take four times as long: "
            "install the Debian package libharfbuzz-subset0."
        )
    return problems
