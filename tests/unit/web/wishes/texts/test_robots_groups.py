"""Which lines of a robots.txt apply to our agent (RFC 9309, 2.2)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.wishes.texts.robots_text import product_token, read_robots

AGENT = "pixcrawler"


def allowed(text: str, path: str = "/x") -> bool:
    return read_robots(AGENT, text).allow(path, 10.0)


@pytest.mark.parametrize(
    "name",
    ["PixCrawler", "pixcrawler", "PIXCRAWLER/1.0", "PixCrawler 1.0", "pixcrawler (+https://a)", "pixcrawler*",
     "pixcrawler;x"],
)  # fmt: skip
def test_a_group_with_our_name_applies_whatever_follows_the_name(name):
    assert not allowed(f"User-agent: *\nDisallow:\n\nUser-agent: {name}\nDisallow: /x")


@pytest.mark.parametrize(
    "name",
    ["pix", "p", "P3P Client", "p4Bot", "Pix Crawler", "pix-crawler", "pix*", "pixcrawlers", "pixcrawler2",
     "PixCrawler-Images", "pixcrawler.org", "my pixcrawler", "mypixcrawler", "bot/pixcrawler", "", "**", "*pixcrawler",
     "pixcrawl\u00e9r", "pixcrawler\u00fc"],
)  # fmt: skip
def test_a_group_with_a_similar_name_does_not_apply(name):
    assert allowed(f"User-agent: {name}\nDisallow: /")
    assert not allowed(f"User-agent: {name}\nDisallow:\n\nUser-agent: *\nDisallow: /")
    assert product_token(name) != AGENT


@pytest.mark.parametrize("star", ["*", " * ", "* # all", "*\t(all)"])
def test_the_group_of_the_star_applies_to_agents_without_a_group(star):
    assert not allowed(f"User-agent: {star}\nDisallow: /")
    assert allowed(f"User-agent: {star}\nDisallow: /\n\nUser-agent: pixcrawler\nDisallow: /private")
    assert allowed(f"User-agent: {star}\nDisallow: /\n\nUser-agent: pixcrawler")


@pytest.mark.parametrize(
    "between",
    ["", "\n", "# x\n", "Crawl-delay: 5\n", "Sitemap: https://a/x.xml\n", "Host: a\n", "Request-rate: 1/5\n",
     "Noindex: /y\n", "Clean-param: a /b\n", "Odd: x\n", "what is this\n", ": x\n", "Crawl-delay: 5\nUnknown: x\n\n"],
)  # fmt: skip
def test_lines_that_are_not_rules_do_not_end_a_list_of_agents(between):
    for agents in (("pixcrawler", "other"), ("other", "pixcrawler")):
        text = f"User-agent: {agents[0]}\n{between}User-agent: {agents[1]}\n{between}Disallow: /x"
        assert not allowed(text), text
    assert allowed(f"User-agent: pixcrawler\n{between}Allow: /\nUser-agent: other\n{between}Disallow: /x")


def test_rules_end_a_list_of_agents():
    assert allowed("User-agent: pixcrawler\nDisallow: /y\nUser-agent: other\nDisallow: /x")
    assert allowed("User-agent: pixcrawler\nDisallow:\nUser-agent: other\nDisallow: /x")


def test_groups_with_the_same_name_are_merged():
    text = "User-agent: pixcrawler\nDisallow: /a\nUser-agent: x\nDisallow: /\n\nUser-agent: PixCrawler/2\nDisallow: /b"
    assert [allowed(text, path) for path in ("/a", "/b", "/c")] == [False, False, True]
    text = "User-agent: *\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: *\nDisallow: /b"
    assert [allowed(text, path) for path in ("/a", "/b", "/c")] == [False, False, True]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\r", "\n\n\n"])
def test_all_kinds_of_line_breaks_are_read_and_the_last_one_is_optional(end):
    lines = ["User-agent: other", "Disallow:", "User-agent: *", "Crawl-delay: 3", "Disallow: /x"]
    found = read_robots(AGENT, end.join(lines))
    assert (found.crawl_delay, found.allow("/x", 1.0), found.allow("/y", 1.0)) == (
        3.0,
        False,
        True,
    )


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_other_characters_do_not_end_a_line(odd):
    assert not allowed(f"User-agent: *\nDisallow: /x#{odd}Allow: /x")


@pytest.mark.parametrize(
    ("line", "allows"),
    [
        ("Disallow: /x", False),
        ("disallow:/x", False),
        (" \tDISALLOW \t:\t /x \t# comment", False),
        ("Disallow /x", False),
        ("Disalow: /x", False),
        ("Disallow: x", False),
        ("Disallow: *", False),
        ("Disallow: /", False),
        ("Disallow:", True),
        ("Disallow", True),
        ("Disallow: # /x", True),
        ("#Disallow: /x", True),
        ("Disallow-x: /x", True),
        ("Disallow: /x$", False),
        ("Disallow: /X", True),
    ],
)
def test_usual_misspellings_of_rules_are_read(line, allows):
    assert allowed(f"User-agent: *\n{line}") is allows


@pytest.mark.parametrize(
    "line", ["User-agent:", "useragent ", "USER AGENT: ", "User-Agent :", "user\tagent:"]
)
def test_usual_misspellings_of_user_agent_are_read(line):
    assert not allowed(f"User-agent: *\nAllow: /\n{line}pixcrawler\nDisallow: /x")


def test_the_longest_rule_decides_and_allow_wins_a_tie():
    text = "User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /a/b/c\nAllow: /*.jpg$\nDisallow: /x*\nAllow: /x/"
    expected = {
        "/a": False,
        "/a/b": True,
        "/a/b/c": False,
        "/a/c.jpg": True,
        "/a/b/c.jpg": True,
        "/x/": True,
        "/xy": False,
    }
    assert {path: allowed(text, path) for path in expected} == expected
    assert allowed("User-agent: *\nDisallow: /x\nAllow: /x")
    assert allowed("User-agent: *\nAllow: /x*\nDisallow: /x*")


def test_a_crawl_delay_applies_to_the_agents_before_it():
    text = "User-agent: x\nCrawl-delay: 10\nUser-agent: pixcrawler\nCrawl-delay: 2.5\n\nUser-agent: *\nCrawl-delay: 7"
    assert read_robots(AGENT, text).crawl_delay == 2.5
    assert read_robots("nobody", text).crawl_delay == 7.0
    assert (
        read_robots(AGENT, "User-agent: bingbot\nCrawl-delay: 10\nUser-agent: *\nDisallow: /x").crawl_delay
        is None
    )
    assert read_robots(AGENT, "User-agent: *\nDisallow: /x\nCrawl-delay: 4").crawl_delay == 4.0
    assert read_robots(AGENT, "Crawl-delay: 4\nUser-agent: *").crawl_delay is None


@pytest.mark.parametrize("value", ["x", "", "nan", "inf", "-1", "5s", "1e400"])
def test_an_invalid_crawl_delay_is_ignored(value):
    assert read_robots(AGENT, f"User-agent: *\nCrawl-delay: {value}").crawl_delay is None


def test_up_to_fifty_sitemaps_are_read_from_all_groups():
    text = "Sitemap: https://a/1.xml\nUser-agent: x\nSITEMAP:https://a/2.xml\nsite-map: https://a/1.xml\nSitemap:"
    assert read_robots(AGENT, text).sitemaps == ("https://a/1.xml", "https://a/2.xml")
    assert len(read_robots(AGENT, "\n".join(f"Sitemap: {number}" for number in range(99))).sitemaps) == 50


def test_rules_before_any_agent_are_ignored():
    assert allowed("Disallow: /\nUser-agent: *\nDisallow: /y")


LINES = st.one_of(
    st.builds("User-agent: {}".format, st.sampled_from(["*", "pixcrawler", "PixCrawler/2", "pix", "other"])),
    st.builds("Disallow: {}".format, st.sampled_from(["/", "/a", "/a*b", "/*b$", "/ab", ""])),
    st.builds("Allow: {}".format, st.sampled_from(["/", "/a", "/a*b", "/*b$", "/ab", ""])),
    st.sampled_from(["", "# x", "Crawl-delay: 3", "Unknown: 1"]),
)  # fmt: skip


def plainly(lines: list[str], path: str) -> bool:
    """Implements RFC 9309, 2.2, in the simplest way: groups, and then the longest match by regular expressions."""
    groups: list[tuple[list[str], list[tuple[str, bool]]]] = []
    for line in lines:
        key, _, value = line.partition(": ")
        if key == "User-agent":
            if not groups or groups[-1][1]:
                groups.append(([], []))
            groups[-1][0].append(value.lower().partition("/")[0])
        elif key in {"Allow", "Disallow"} and groups:
            groups[-1][1].append((value, key == "Allow"))
    name = "pixcrawler" if any("pixcrawler" in names for names, _ in groups) else "*"
    found = [(-1, True)]
    for names, rules in groups:
        for pattern, allow in rules if name in names else ():
            body = ".*".join(map(re.escape, pattern.removesuffix("$").split("*")))
            if pattern and re.match(body + (r"\Z" if pattern.endswith("$") else ""), path):
                found.append((len(pattern), allow))
    return max(found)[1]


@given(st.lists(LINES, max_size=14), st.sampled_from(["/", "/a", "/ab", "/axb", "/b", "/c", "/ab/b"]))
def test_groups_and_rules_are_read_as_the_rfc_requires(lines, path):
    assert allowed("\n".join(lines), path) == plainly(lines, path)
