"""Makes English plurals of words for visible things: regular ones by rule, all others from a list of words.

Irregular plurals are never derived from a word's ending: "blouse" is not like "louse", and "Norman" is not like
"man". A word that is neither regular nor listed has no plural here. A wrong plural would be worse.
"""

import re
from functools import cache

_IRREGULAR = """
    child children, grandchild grandchildren, godchild godchildren, schoolchild schoolchildren, stepchild stepchildren,
    person people, salesperson salespeople, spokesperson spokespeople, mouse mice, dormouse dormice, titmouse titmice,
    louse lice, woodlouse woodlice, goose geese, foot feet, forefoot forefeet, tooth teeth, ox oxen, muskox muskoxen,
    die dice, cactus cacti, fungus fungi, bacterium bacteria, phenomenon phenomena, criterion criteria, larva larvae,
    gas gases, lens lenses, atlas atlases, canvas canvases, pancreas pancreases, rhinoceros rhinoceroses, bias biases,
    thermos thermoses, quiz quizzes, fez fezzes, whiz whizzes,
    iris irises, ibis ibises, mantis mantises, trellis trellises, clematis clematises, amaryllis amaryllises,
    pelvis pelvises, metropolis metropolises, necropolis necropolises, acropolis acropolises,
    axis axes, oasis oases, basis bases, crisis crises, thesis theses, hypothesis hypotheses, analysis analyses,
    synthesis syntheses, diagnosis diagnoses, parenthesis parentheses, ellipsis ellipses, synopsis synopses,
    metamorphosis metamorphoses, chrysalis chrysalises,
    calf calves, elf elves, half halves, hoof hooves, knife knives, jackknife jackknives, penknife penknives,
    pocketknife pocketknives, leaf leaves, cloverleaf cloverleaves, life lives, loaf loaves, sugarloaf sugarloaves,
    meatloaf meatloaves, scarf scarves, headscarf headscarves, shelf shelves, bookshelf bookshelves, thief thieves,
    wife wives, housewife housewives, midwife midwives, fishwife fishwives, wolf wolves, werewolf werewolves,
    aardwolf aardwolves, buffalo buffaloes, domino dominoes, echo echoes, hero heroes, superhero superheroes,
    mango mangoes, mosquito mosquitoes, potato potatoes, tomato tomatoes, tornado tornadoes, torpedo torpedoes,
    volcano volcanoes, cargo cargoes
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MEN = _words("""
    air alder anchor artillery axe back bar barge bell boat bogey bonds bush business cab camera cavalry
    cave chair clans clergy coach congress corner council country cow crafts crew dairy door drafts dragon
    draughts dust dutch english ferry fire fisher foot fore free french fresh frog front gentle ghost grooms
    guards gun handy hang hench herds highway horse hunts ice infantry irish iron jury kins lands lay life
    line lines livery longshore mad mail marks medicine mer mid middle milk minute motor noble nobles oars
    ombuds patrol pike pitch plains ploughs plow police post rail repair rifle sales sand scots sea service
    show signal snow space spokes sports states strong stunt super swords trades trawler tribes ward watch
    weather welsh wheels wing wood woods work yeo
""")
_NO_MEN = _words("""
    brahman caiman cayman doberman german human norman ottoman pullman roman shaman superhuman talisman
    turkoman walkman
""")
_SAME = _words("""
    aircraft bison chassis cod corps deer elk grouse hovercraft means moose offspring reindeer rotorcraft
    salmon series sheep shrimp spacecraft species squid swine trout tuna watercraft wildlife
""")
_HARD_CH = _words("""
    czech diptych epoch eunuch hightech loch matriarch monarch oligarch patriarch stomach tech triptych
""")
# these are plurals of words in -u, not singulars in -us
_US = _words("""
    bayous caribous ecus emus fichus flus gnus gurus haikus kudus menus submenus thous tofus tutus zebus
""")
_PREPOSITION = re.compile(
    r" (?:above|after|at|behind|beside|between|by|for|from|in|inside|near|of|on|over|to|under|with|without) ",
    re.IGNORECASE,
)


def plural_of(phrase: str) -> str | None:
    """Returns the phrase with its noun in the plural, or None if it has no plural or seems to be one.

    The noun is the last word, or the last before a preposition: "cats on a wall". A word in -s counts as a plural
    unless it ends in -ss or -us, or is a known singular.
    """
    preposition = _PREPOSITION.search(phrase)
    head, tail = (
        (phrase[: preposition.start()], phrase[preposition.start() :]) if preposition else (phrase, "")
    )
    found = re.search(r"(?<![^\W_])[A-Za-z]{2,}$", head)
    if found is None:
        return None
    word = found[0]
    plural = "lifes" if head.lower().endswith("still life") else _plural(word.lower())
    if plural is None:
        return None
    common = 0
    while common < len(word) and common < len(plural) and word[common].lower() == plural[common]:
        common += 1
    ending = plural[common:].upper() if word.isupper() else plural[common:]
    return head[: found.start()] + word[:common] + ending + tail


def _plural(word: str) -> str | None:
    irregular = _irregular()
    if word in irregular:
        return irregular[word]
    if word in _SAME or word.endswith("fish") or word in irregular.values():
        return None
    if word.endswith("woman"):
        return word.removesuffix("an") + "en"
    if word.endswith(("women", "eaux", "eaus")) or word in _US:
        return None
    if word.endswith("man"):
        return word + "s" if word in _NO_MEN else None
    if word.endswith(("ss", "sh", "ch", "x", "z", "us")):
        return word + ("s" if word in _HARD_CH else "es")
    if word.endswith("s"):
        return None
    return re.sub("y$", "ies", word) if re.search("(?:[^aeiou]|qu)y$", word) else word + "s"


@cache
def _irregular() -> dict[str, str]:
    """Returns the irregular plurals by their singulars."""
    pairs = [pair.split() for pair in _IRREGULAR.split(",")]
    men = {f"{first}man": f"{first}men" for first in ("", *_MEN)}
    return dict(pairs) | men
