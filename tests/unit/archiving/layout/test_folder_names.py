"""Folders have names that every system accepts and every loader reads, and no two labels share one."""

import hashlib
import re
import unicodedata
from itertools import permutations

import datasets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.layout.names import folder_names
from shared.archiving.options import Dedup
from shared.records.candidates import Candidate, Provenance
from shared.text.file_names import comparable

SKIPPED = (
    "__background__",
    "__ignore__",
    "__",
    "___x",
    ".hidden",
    "..",
    ".__x",
    ". .x",
    ".ipynb_checkpoints",
)
OF_SYSTEMS = (
    *("@eaDir", "$RECYCLE.BIN", "#recycle", "System Volume Information", "lost+found"),
    *("Thumbs.db", "desktop.ini", "__MACOSX", "__pycache__"),
)
DEVICES = (
    *(
        "CON",
        "con",
        "PRN",
        "aux",
        "NUL",
        "NUL.txt",
        "NUL .txt",
        "nul. ",
        "nul\u00a0.x.y",
        "CONIN$.x",
        "Clock$",
    ),
    *("COM1", "com0", "COM¹", "LPT²", "lpt³.jpg", "CONIN$", "conout$"),
)
OTHERS = (
    *(
        "a/b",
        "a\\b",
        "a:b",
        'a"b',
        "a|b",
        "a?",
        "a*",
        "<a>",
        "a.",
        "a ",
        " a",
        "a\x00b",
        "a\x7fb",
        "~work",
        "",
        " ",
    ),
    *("metadata.parquet", "Metadata.JSONL", "metadata.csv", "\u202ea", "\ufeffa", "\u0378"),
    *("x" * 300, "猫" * 100, "e\u0301" * 90),
)
# Hugging Face's loaders replace names of environment variables in paths, on Windows also the last two
VARIABLES = ("$PATH", "a ${PATH} b", "$5", "100 %", "%PATH%")
SAFE = (
    *(
        "cat",
        "Zürich",
        "_x",
        "a_b",
        "コーヒー",
        "👩\u200d🚀",
        "con man",
        "COM10",
        "common",
        "nullable",
        "x.tar.gz",
    ),
    *("-x", "#1", "@home", "NULL", "icon", "a.b", "1e5", "007", "_ _x", "…"),
)
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)


INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")


def decomposed(text):
    return unicodedata.normalize("NFD", text)


SYSTEMS = {
    "APFS, by canonical caseless matching": lambda name: decomposed(decomposed(name).casefold()),
    "NTFS, by capitals": str.upper,
    "HFS+ and ext4, without what is ignorable": lambda name: decomposed(INVISIBLE.sub("", name)).casefold(),
    "a share between them": comparable,
}


def made(*labels):
    names = folder_names(labels)
    assert set(names) == set(labels)
    for system, seen in SYSTEMS.items():
        assert len(set(map(seen, names.values()))) == len(names), system
    return names


@pytest.mark.parametrize("label", [*SKIPPED, *OF_SYSTEMS, *DEVICES, *OTHERS, *VARIABLES])
def test_no_folder_has_a_name_that_loaders_skip_or_systems_refuse(label):
    name = made(label)[label]
    assert name != label
    assert not name.startswith((".", "__", "~", " ", "@eaDir", "#recycle"))
    assert not DEVICE.fullmatch(name)
    assert not re.search(r'[<>:"/\\|?*$%\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ufeff]|[. ]$', name)
    assert len(name.encode()) <= 140
    assert not re.fullmatch(r"metadata\.\w+", name, re.IGNORECASE)


@pytest.mark.parametrize("label", SAFE)
def test_a_safe_label_is_the_name_of_its_folder(label):
    assert made(label) == {label: label}


@pytest.mark.parametrize(
    "labels",
    [
        ("Cat", "cat", "CAT"),
        ("é", "e\u0301"),
        ("straße", "STRASSE", "strasse"),
        ("ΐ", "\u03b9\u0308\u0301", "\u1fd3", "Ϊ\u0301"),
        ("ᾳ", "\u0391\u0399", "\u03b1\u03b9"),
        ("Å", "\u212b", "å", "a\u030a"),
        ("K", "\u212a", "k"),
        ("\u017f", "s", "S"),
        ("İ", "i\u0307"),
        ("\u0131", "I", "i"),
        ("\u0131", "I"),
        ("\u0131", "i"),
        ("\u017f", "S"),
        ("ǰ", "J\u030c"),
        ("ß", "ẞ"),
        ("ŉ", "\u02bcN"),
        ("ﬀ", "ff", "FF"),
        ("\u0345", "\u03b9"),
        ("\u03c3", "ς", "Σ"),
        ("\u13a0", "\uab70"),
        ("a\u0323\u0307", "a\u0307\u0323"),
        ("가", "\u1100\u1161"),
        ("❤", "❤\ufe0f", "❤\u200d"),
        ("a/b", "a\\b", "a:b", "a_b"),
        ("a", "a.", "a ", " a"),
        ("__a", "_a", "___a"),
        ("x" * 200 + "1", "x" * 200 + "2"),
    ],
)
def test_labels_that_some_system_does_not_distinguish_get_different_folders(labels):
    wanted = made(*labels)
    for order in list(permutations(labels))[:24]:
        assert made(*order) == wanted


def test_a_label_that_equals_the_folder_of_another_label_gets_a_different_folder():
    chain = ["a/b"]
    for _ in range(5):
        chain.append(folder_names(chain[-1:])[chain[-1]])
    for order in (chain, chain[::-1]):
        made(*order)
        made(*(label.upper() for label in order), *order)


def test_labels_that_equal_the_folder_of_another_label_with_any_hash_get_different_folders():
    digest = hashlib.sha256(b"a/b").hexdigest()
    labels = ["a/b", *(f"a_b-{digest[:digits]}" for digits in (8, 16, 32, 64))]
    made(*labels)
    made(*labels[::-1], *(label.upper() for label in labels))


def test_labels_whose_hashes_begin_alike_get_longer_hashes():
    seen: dict[str, str] = {}
    number = 0
    while True:  # some 65,000 by chance
        label = "a" + "".join('<>:"|?*\\'[int(digit)] for digit in f"{number:07o}")
        digest = hashlib.sha256(label.encode()).hexdigest()[:8]
        if digest in seen:
            break
        seen[digest] = label
        number += 1
    names = made(seen[digest], label)
    assert {len(name.rpartition("-")[2]) for name in names.values()} == {16}


@given(st.lists(st.text(max_size=12), unique=True, max_size=12))
def test_folders_of_hostile_labels_differ(labels):
    assert len(made(*labels)) == len(labels)


async def test_loaders_find_the_images_of_every_label(studio, tmp_path):
    labels = [*SKIPPED, *OF_SYSTEMS, *DEVICES, *VARIABLES, *(label for label in OTHERS if label.strip())]
    count = len(labels) * 10 // 9 + 1
    order = await studio.crawl(count, dedup=Dedup(exact=False, near_distance=None))

    def candidate_of(record):
        label = labels[(record.index - record.index // 10) % len(labels)]
        return Candidate(record.candidate.url, label, Provenance("urls"))

    with await studio.zip(await studio.describe(order, candidate_of)) as archive:
        archive.extractall(tmp_path / "unpacked")
    found = datasets.load_dataset(str(tmp_path / "unpacked"), cache_dir=str(tmp_path / "cache"))["train"]
    assert set(found["label"]) == set(labels)
    assert all(row["image"].size == (row["width"], row["height"]) for row in found)
    assert len(list((tmp_path / "unpacked" / "train").iterdir())) == len(labels) + 1
    for drop in (True, False):
        where = {"data_dir": str(tmp_path / "unpacked"), "drop_metadata": True, "drop_labels": drop}
        plain = datasets.load_dataset("imagefolder", **where, cache_dir=str(tmp_path / f"cache {drop}"))[
            "train"
        ]
        assert len(plain) == len(found)


@given(st.lists(st.text(max_size=60), unique=True, max_size=20))
def test_labels_never_share_a_folder_and_folders_are_safe(labels):
    names = folder_names(labels)
    assert len({name.casefold() for name in names.values()}) == len(labels)
    for name in names.values():
        assert name
        assert name not in {".", ".."}
        assert not set(name) & set('<>:"/\\|?*\0\n')
        assert name == name.strip(" ")
        assert not name.endswith(".")
        assert len(name.encode()) <= 140


@pytest.mark.parametrize(
    "label", ["../../etc", "con", "NUL.txt", "a/b", ".", "..", "x" * 300, "🐈" * 80, "\u202eabc"]
)
def test_dangerous_labels_become_harmless_folders(label):
    name = folder_names([label])[label]
    assert "/" not in name
    assert name.lower().split(".")[0] not in {"con", "nul", ""}
    assert len(name.encode()) <= 140
