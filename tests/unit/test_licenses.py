import pytest

from shared.licenses import License, asks_for_attribution, license_name, license_url, normalize_license


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
        ("No restrictions", "flickr", None),
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
    ],
)
def test_what_is_no_known_licence_is_unknown(text):
    assert normalize_license(text) == License("unknown")


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
def test_each_licence_has_a_name_a_text_and_a_say_on_attribution(found, name, url, asks):
    assert (license_name(found), license_url(found), asks_for_attribution(found.code)) == (name, url, asks)
