"""Variations of keywords: plurals and templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.sources.keywords.plurals import plural_of
from shared.sources.keywords.variations import Variations

PLURALS = {
    "cat": "cats",
    "red panda": "red pandas",
    "Fox": "Foxes",
    "CAT": "CATS",
    "beach": "beaches",
    "monarch": "monarchs",
    "butterfly": "butterflies",
    "monkey": "monkeys",
    "bus": "buses",
    "glass": "glasses",
    "leaf": "leaves",
    "werewolf": "werewolves",
    "giraffe": "giraffes",
    "roof": "roofs",
    "Mouse": "Mice",
    "policewoman": "policewomen",
    "human": "humans",
    "grandchild": "grandchildren",
    "mongoose": "mongooses",
    "potato": "potatoes",
    "piano": "pianos",
    "oasis": "oases",
    "lens": "lenses",
    "T-shirt": "T-shirts",
    "cat on a wall": "cats on a wall",
    "bowl of soup": "bowls of soup",
    "box": "boxes",
    "ox": "oxen",
    "tuk-tuk": "tuk-tuks",
    "blouse": "blouses",
    "Spouse": "Spouses",
    "dormouse": "dormice",
    "Norman": "Normans",
    "Doberman": "Dobermans",
    "Brahman": "Brahmans",
    "fireman": "firemen",
    "POLICEWOMAN": "POLICEWOMEN",
    "specimen": "specimens",
    "papoose": "papooses",
    "Rothschild": "Rothschilds",
    "forefoot": "forefeet",
    "Bluetooth": "Bluetooths",
    "musk-ox": "musk-oxen",
    "hoodie": "hoodies",
    "pickaxe": "pickaxes",
    "bookshelf": "bookshelves",
    "belief": "beliefs",
    "still life": "still lifes",
    "still life with fruit": "still lifes with fruit",
    "praying mantis": "praying mantises",
    "octopus": "octopuses",
    "triptych": "triptychs",
    "arch": "arches",
    "soliloquy": "soliloquies",
    "toy": "toys",
    "flamingo": "flamingos",
}
NONE = [
    "sheep",
    "jellyfish",
    "reindeer",
    "cats",
    "scissors",
    "women",
    "people",
    "tennis",
    "taxis",
    "praxis",
    "menus",
    "chateaux",
    "plateaus",
    "firemen",
    "policewomen",
    "mice",
    "oxen",
    "oases",
    "knives",
    "Las Vegas",
    "elk",
    "Batman",
    "café",
    "東京",
    "f16",
    "",
    "x",
    "on a ",
]


@pytest.mark.parametrize("singular", PLURALS)
def test_nouns_get_their_plurals(singular):
    assert plural_of(singular) == PLURALS[singular]


@pytest.mark.parametrize("phrase", NONE)
def test_phrases_without_a_known_plural_get_none(phrase):
    assert plural_of(phrase) is None


@given(st.text(max_size=40))
def test_a_plural_differs_from_its_phrase(phrase):
    plural = plural_of(phrase)
    assert plural is None or plural != phrase


def test_variations_are_plurals_and_then_templates_without_repetitions():
    variations = Variations(plurals=True, templates=("photo of {}", "{} close-up", "{}  CLOSE-UP", "{}s"))
    assert variations.of(["cat", "kitten", "Cats"]) == (
        "kittens",
        "photo of cat",
        "photo of kitten",
        "photo of Cats",
        "cat close-up",
        "kitten close-up",
        "Cats close-up",
        "Catss",
    )
    assert Variations().of(["cat"]) == ()


@given(st.lists(st.text(min_size=1, max_size=200), max_size=60))
def test_variations_are_limited_and_always_the_same(keywords):
    variations = Variations(plurals=True, templates=tuple(f"{{}} {number}" for number in range(10)))
    found = variations.of(keywords)
    assert found == variations.of(keywords)
    assert len(found) <= 50
    assert all(0 < len(text) <= 200 for text in found)
    assert len({text.casefold() for text in found}) == len(found)
    assert not {text.casefold() for text in found} & {keyword.casefold() for keyword in keywords}


@pytest.mark.parametrize(
    "template", ["photo", "{} and {}", "{}", " {} ", "{}\n", "{0.__class__}", "{}" + "x" * 100]
)
def test_a_template_must_have_one_place_for_the_keyword_and_a_word(template):
    with pytest.raises(ValidationError):
        Variations(templates=(template,))
