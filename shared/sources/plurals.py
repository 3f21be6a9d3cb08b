"""English plurals by rule: right for nearly all words that name things to be seen, silent where it cannot tell."""

import re

_IRREGULAR = {
    "child": "children",
    "person": "people",
    "mouse": "mice",
    "louse": "lice",
    "mongoose": "mongooses",
    "goose": "geese",
    "foot": "feet",
    "tooth": "teeth",
    "ox": "oxen",
    "die": "dice",
    "cactus": "cacti",
    "fungus": "fungi",
    "gas": "gases",
    "lens": "lenses",
    "iris": "irises",
    "axis": "axes",
    "quiz": "quizzes",
}
_SAME = frozenset(
    {"aircraft", "bison", "chassis", "cod", "deer", "fish", "moose", "offspring", "salmon", "sheep", "shrimp"}
    | {"spacecraft", "squid", "swine", "trout", "tuna", "wildlife"}
)
_VES = frozenset(
    {
        "calf",
        "elf",
        "half",
        "hoof",
        "knife",
        "leaf",
        "life",
        "loaf",
        "scarf",
        "shelf",
        "thief",
        "wife",
        "wolf",
    }
)
_OES = frozenset(
    {
        "buffalo",
        "domino",
        "echo",
        "hero",
        "mango",
        "mosquito",
        "potato",
        "tomato",
        "tornado",
        "torpedo",
        "volcano",
    }
)
_HARD_CH = frozenset({"eunuch", "loch", "matriarch", "monarch", "patriarch", "stomach"})
_NO_MEN = frozenset({"caiman", "german", "human", "ottoman", "roman", "shaman", "talisman"})
_PREPOSITION = re.compile(
    r" (?:above|after|at|behind|beside|between|by|for|from|in|inside|near|of|on|over|to|under|with|without) ",
    re.IGNORECASE,
)


def plural_of(phrase: str) -> str | None:
    """The phrase with its noun in the plural; None where it has none of its own, or seems to be one.

    The noun is the last word, or the last before a preposition: "cats on a wall". A word in -s is taken for a plural
    unless it ends in -ss, -us or -is, or is a known singular.
    """
    preposition = _PREPOSITION.search(phrase)
    head, tail = (
        (phrase[: preposition.start()], phrase[preposition.start() :]) if preposition else (phrase, "")
    )
    found = re.search(r"(?<![^\W_])[A-Za-z]{2,}$", head)
    if found is None:
        return None
    word = found[0]
    plural = _plural(word.lower())
    if plural is None:
        return None
    common = 0
    while common < len(word) and common < len(plural) and word[common].lower() == plural[common]:
        common += 1
    ending = plural[common:].upper() if word.isupper() else plural[common:]
    return head[: found.start()] + word[:common] + ending + tail


def _plural(word: str) -> str | None:
    if any(word == same or (len(same) > 3 and word.endswith(same)) for same in _SAME):
        return None
    for singular, plural in _IRREGULAR.items():
        if word == singular or (len(singular) > 3 and word.endswith(singular)):
            return word.removesuffix(singular) + plural
    if word.endswith("man") and word not in _NO_MEN:
        return word.removesuffix("man") + "men"
    if word.endswith(tuple(_VES)):
        return re.sub("fe?$", "ves", word)
    if word.endswith("sis"):
        return word.removesuffix("is") + "es"
    if word in _OES or (word.endswith(("ss", "sh", "ch", "x", "z", "us")) and word not in _HARD_CH):
        return word + "es"
    if word.endswith(("s", "men", "people", "children")) or word in _IRREGULAR.values():
        return None
    return re.sub("y$", "ies", word) if re.search("[^aeiou]y$", word) else word + "s"
