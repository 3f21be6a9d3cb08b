import pytest

from shared.records.licenses import (
    License,
    asks_for_attribution,
    declared_license,
    license_name,
    license_url,
    normalize_license,
)


@pytest.mark.parametrize(
    ("text", "code", "version"),
    [
        ("by-sa", "by-sa", None),
        ("CC BY-SA 4.0", "by-sa", "4.0"),
        ("cc-by-sa-4.0", "by-sa", "4.0"),
        ("cc-by-sa-3.0,2.5,2.0,1.0", "by-sa", "3.0"),
        ("cc-by-sa-4.0-migrated", "by-sa", "4.0"),
        ("CC BY 3.0 de", "by", "3.0"),
        ("cc by nc sa 4.0", "by-nc-sa", "4.0"),
        ("by_nc_nd", "by-nc-nd", None),
        ("cc-by-nd-nc-1.0", "by-nc-nd", "1.0"),
        ("https://creativecommons.org/licenses/by-sa/3.0/de/deed.en", "by-sa", "3.0"),
        ("http://creativecommons.org/licenses/by-nd-nc/1.0/", "by-nc-nd", "1.0"),
        ("cc0", "cc0", None),
        ("CC0 1.0 Universal", "cc0", "1.0"),
        ("cc-zero", "cc0", None),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0", "1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "pdm", "1.0"),
        ("Public domain", "pdm", None),
        ("pd", "pdm", None),
        ("PD-old-70", "pdm", None),
        ("pdm-owner", "pdm", None),
        ("Attribution 4.0 International", "by", "4.0"),
        ("Attribution 2.1 Japan (CC BY 2.1 JP)", "by", "2.1"),
        ("Creative Commons Attribution-ShareAlike 3.0 Unported", "by-sa", "3.0"),
        ("Creative Commons Attribution 4.0 International Public License", "by", "4.0"),
        ("Creative Commons Attribution Non Commercial Share Alike 4.0 International", "by-nc-sa", "4.0"),
        ("Attribution-NonCommercial-NoDerivs 2.0 Generic", "by-nc-nd", "2.0"),
        ("Attribution-NoDerivs-NonCommercial 1.0", "by-nc-nd", "1.0"),
        ("CC Attribution-NonCommercial-NoDerivatives 4.0", "by-nc-nd", "4.0"),
        ("Attribution-ShareAlike License", "by-sa", None),
        ("Creative Commons Attribution", "by", None),
        ("Creative Commons BY-SA 4.0", "by-sa", "4.0"),
        ("Creative Commons Zero v1.0 Universal", "cc0", "1.0"),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "cc0", "1.0"),
        ("Public Domain Mark 1.0 Universal", "pdm", "1.0"),
        ("CC-PDM-1.0", "pdm", "1.0"),
        ("http://creativecommons.org/licenses/by/3.0/de/", "by", "3.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode.fr", "by-nc-sa", "4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/deed.en", "cc0", "1.0"),
        ("creativecommons.org/licenses/by-nc", "by-nc", None),
        ("//www.creativecommons.org/licenses/by/2.5/scotland/?ref=x#y", "by", "2.5"),
        ("HTTPS://CREATIVECOMMONS.ORG/LICENSES/BY-SA/4.0/LEGALCODE", "by-sa", "4.0"),
        ("https://creativecommons.org/licenses/by/3.0/deed.es_ES", "by", "3.0"),
        ("CC BY 2.0 kr", "by", "2.0"),
        ("CC BY 3.0 NO", "by", "3.0"),
        ("CC BY-SA 3.0 IGO", "by-sa", "3.0"),
        ("CC BY-SA 4.0-3.0-2.5-2.0-1.0", "by-sa", "4.0"),
        ("cc-by-sa-3.0-migrated-with-disclaimers", "by-sa", "3.0"),
        ("cc-by-sa-1.0+", "by-sa", "1.0"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 2.0 Germany", "by-nc-sa", "2.0"),
        ("Attribution 2.0 UK: England & Wales", "by", "2.0"),
        ("Attribution-No Derivative Works 3.0 United States", "by-nd", "3.0"),
        ("Creative Commons Attribution-ShareAlike 3.0 Unported License", "by-sa", "3.0"),
        ("Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)", "by-nc", "4.0"),
        ("CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)", "by", "4.0"),
        ("CC BY-SA <https://creativecommons.org/licenses/by-sa/4.0/deed.de>.", "by-sa", "4.0"),
        ("CC BY 2.0, https://creativecommons.org/licenses/by/4.0/", "by", None),
        ("Creative Commons Attribution license (reuse allowed)", "by", None),
        ("CC0: Public Domain", "cc0", None),
        ("CC0 1.0 Universal (CC0 1.0)", "cc0", "1.0"),
        ("Public Domain Dedication (CC0)", "cc0", None),
        ("Public domain (CC0)", "cc0", None),
        ("PDM", "pdm", None),
        ("Creative Commons Public Domain Mark 1.0", "pdm", "1.0"),
        ("PD-US-not-renewed", "pdm", None),
        # elements, whatever stands between them
        ("Creative Commons Attribution - NonCommercial 4.0", "by-nc", "4.0"),
        ("Creative Commons Attribution, Non-Commercial, No Derivatives", "by-nc-nd", None),
        ("Attribution-NonCommercial/NoDerivs 3.0", "by-nc-nd", "3.0"),
        ("Creative Commons Attribution - ShareAlike 4.0", "by-sa", "4.0"),
        ("CC Attribution + Noncommercial + NoDerivs", "by-nc-nd", None),
        ("Creative Commons Attribution: NonCommercial", "by-nc", None),
        ("Creative Commons Attribution \u2013 NonCommercial \u2014 NoDerivs 3.0", "by-nc-nd", "3.0"),
        ("Attribution\u2011NonCommercial 4.0 International", "by-nc", "4.0"),
        ("Creative Commons Attribution\u2010NonCommercial", "by-nc", None),
        ("Creative Commons Attribution\u00a0NonCommercial", "by-nc", None),
        ("CC BY, NC", "by-nc", None),
        ("CC BY/NC", "by-nc", None),
        ("CC BY - NC", "by-nc", None),
        ("CC BY\u2013NC 4.0", "by-nc", "4.0"),
        ("CC\u2212BY\u2012SA\u20154.0", "by-sa", "4.0"),
        ("CC BY-SA-NC", "by-nc-sa", None),
        ("No restrictions", "flickr", None),
        ("No known copyright restrictions", "flickr", None),
        ("pexels", "pexels", None),
    ],
)
def test_a_licence_has_many_spellings(text, code, version):
    assert normalize_license(text) == License(code, version)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "by the author",
        "by-line",
        "cc-by-saxx",
        "cc-by-sa-nd-4.0",
        "cc-sa-1.0",
        "gfdl",
        "attribution",
        "Attribution License",
        "Attribution only license",
        "attribution required",
        "attribution, non-commercial use only",
        "attribution non commercial use",
        "Attribution-ShareAlike-NoDerivs 4.0",
        "Open Data Commons Attribution License 1.0",
        "Creative Commons",
        "https://notcreativecommons.org/licenses/by/4.0/",
        "not cc0",
        "pdf",
        "https://creativecommons.org/licenses/sampling/1.0/",
        "FAL",
        "Creative Commons Attribution License (CC BY-NC 4.0)",
        "Creative Commons Attribution (NonCommercial)",
        "Attribution 4.0 International (NonCommercial use only)",
        "Creative Commons Attribution 4.0, non-commercial use only",
        "Creative Commons Attribution License, non-commercial",
        "Attribution-ShareAlike (NonCommercial)",
        "Attribution 4.0 not granted",
        "Attribution-ShareAlike 4.0 or later",
        "CC Attribution? No, all rights reserved",
        "CC BY or CC BY-NC",
        "CC BY / CC BY-SA",
        "CC BY (NC)",
        "CC BY 4.0 NC",
        "CC BY 4.0-NC",
        "CC BY: no",
        "BY: John Smith",
        "by \u00a9 Jane",
        "not CC BY",
        "GFDL, CC BY-SA 3.0",
        "Zero, all rights reserved",
        "zero rights granted",
        "cc0 not granted",
        "public domain? no",
        "PD 70 years",
        "Public domain in the US only; all rights reserved elsewhere",
        "Public domain mark removed",
        "not https://creativecommons.org/publicdomain/zero/1.0/",
        "evil.example/creativecommons.org/licenses/by/4.0",
        "https://creativecommons.org.evil.example/licenses/by/4.0",
        "https://creativecommons.org/licenses/by/nc/4.0/",
        "CC BY-NC-SA, see https://creativecommons.org/licenses/by/4.0/",
        "CC BY-NC-SA https://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/licenses/by/4.0/ https://creativecommons.org/licenses/by-nc/4.0/",
        "()",
        "CC BY" + " 4.0" * 1_000_000,
    ],
    ids=lambda text: (text or "none")[:60],
)
def test_texts_that_name_no_known_licence_are_unknown(text):
    assert normalize_license(text) == License("unknown")


BY, BY_NC = "https://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/by-nc/4.0/"
ZERO, MARK = (f"https://creativecommons.org/publicdomain/{name}/1.0/" for name in ("zero", "mark"))


@pytest.mark.parametrize(
    ("text", "url", "found"),
    [
        ("CC BY", BY, License("by", "4.0")),
        ("CC BY 4.0", None, License("by", "4.0")),
        ("CC BY 4.0", "https://a/terms", License("by", "4.0")),
        (None, BY_NC, License("by-nc", "4.0")),
        ("Attribution", BY, License("by", "4.0")),
        ("Some rights reserved", BY, License("by", "4.0")),
        ("Creative Commons Attribution License (CC BY-NC 4.0)", BY_NC, License("by-nc", "4.0")),
        ("CC BY 2.0", BY, License("by")),
        ("Public domain", ZERO, License("cc0", "1.0")),
        ("CC0", MARK, License("cc0")),
        ("CC BY", BY_NC, License("unknown")),
        ("CC BY-NC", BY, License("unknown")),
        ("CC BY-NC", "creativecommons.org/licenses/by", License("unknown")),
        ("CC0", BY, License("unknown")),
        ("Attribution (NonCommercial)", BY, License("unknown")),
        ("CC BY 4.0, no derivatives", BY, License("unknown")),
        ("All rights reserved", BY, License("unknown")),
        ("not CC BY", BY, License("unknown")),
        ("see the terms", "https://a/terms", License("unknown")),
    ],
)
def test_a_licence_is_never_freer_than_its_name_or_its_address(text, url, found):
    assert declared_license(text, url) == found


@pytest.mark.parametrize(
    "text",
    [
        "CC-BYNCSA", "CC BYNC", "CC BY-NC4.0", "by n.c.", "noncomercial", "Namensnennung-NichtKommerziell",
        "b\u200by-n\u200bc", "All rights are reserved", "\xa9 Getty Images, rights reserved", "Rights managed",
        "GFDL", "commercial use prohibited", "for personal use", "don't reuse", "Alle Rechte vorbehalten",
    ],
)  # fmt: skip
def test_an_address_does_not_outweigh_words_that_are_not_understood(text):
    assert declared_license(text, "https://creativecommons.org/licenses/by/4.0/").code == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "", None, "Some rights reserved", "Licensed under CC BY 4.0", "see license",
        "This work is licensed under a Creative Commons Attribution 4.0 International License.",
    ],
)  # fmt: skip
def test_an_address_counts_if_the_words_beside_it_add_nothing(text):
    assert declared_license(text, "https://creativecommons.org/licenses/by/4.0/") == License("by", "4.0")


@pytest.mark.parametrize(
    ("found", "name", "url", "asks"),
    [
        (License("by-sa", "2.0"), "CC BY-SA 2.0", "https://creativecommons.org/licenses/by-sa/2.0/", True),
        (License("by"), "CC BY", "https://creativecommons.org/licenses/by/4.0/", True),
        (License("cc0", "1.0"), "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", False),
        (License("pdm"), "public domain", "https://creativecommons.org/publicdomain/mark/1.0/", False),
        (License("flickr"), "no known copyright restrictions", "https://www.flickr.com/commons/usage/", True),
        (License("pexels"), "Pexels License", "https://www.pexels.com/license/", True),
        (License("pixabay"), "Pixabay Content License", "https://pixabay.com/service/license-summary/", True),
        (License("unknown"), "licence unknown", None, False),
    ],
)
def test_each_licence_has_a_name_an_address_and_a_rule_on_attribution(found, name, url, asks):
    assert (license_name(found), license_url(found), asks_for_attribution(found.code)) == (name, url, asks)
