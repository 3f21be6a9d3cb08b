"""Crawls that begin with sitemaps."""

from tests.unit.sources.website.sites import everything, names, shop

from .conftest import Answer


async def test_a_crawl_that_skips_sitemaps_reports_a_problem(site):
    maps = "".join(f"<sitemap><loc>BASE/m{number}.xml</loc></sitemap>" for number in range(60))
    site.pages = {"/": "", "/sitemap.xml": f"<sitemapindex>{maps}</sitemapindex>", "*": "<urlset></urlset>"}
    crawl = await site.crawl(sitemaps=True)
    assert f"website: {site.base}/: more than 50 sitemaps were found" in crawl.problems


async def test_sitemaps_list_pages_and_images(site):
    everything(site)
    crawl = await site.crawl(sitemaps=True, depth=0)
    assert names(crawl) == ["m", "start", "n3"]
    assert crawl.candidates[0].provenance.page_url == f"{site.base}/n3"
    assert site.asked == ["/map.xml", "/m2.xml", "/", "/n3"]


async def test_sitemap_xml_is_read_if_robots_txt_names_no_sitemap(site):
    site.pages = {
        "/": "<p>",
        "/sitemap.xml": "<urlset><url><loc>BASE/x</loc></url><url><loc>http://other.invalid/</loc></url></urlset>",
        "/x": "<img src=x.jpg>",
    }
    assert names(await site.crawl(sitemaps=True, depth=0)) == ["x"]
    assert (await site.crawl(start_urls=[f"{site.base}/x"], depth=0)).problems == []
    assert "/sitemap.xml" in site.asked


async def test_reading_endless_sitemaps_stops_at_a_limit(site):
    def index(request):
        number = int(request.query.get("n", 0))
        children = "".join(
            f"<sitemap><loc>/sitemap.xml?n={number * 9 + at}</loc></sitemap>" for at in range(9)
        )
        return Answer(f"<sitemapindex>{children}</sitemapindex>".encode(), kind="text/xml")

    site.pages = {"*": index, "/": "<img src=x.jpg>"}
    crawl = await site.crawl(sitemaps=True)
    assert len(site.asked) == 51
    assert names(crawl) == ["x"]


async def test_a_broken_sitemap_is_a_problem(site):
    shop(site)
    site.pages["/sitemap.xml"] = "<!DOCTYPE x [<!ENTITY a 'b'>]><urlset><url><loc>&a;</loc></url></urlset>"
    crawl = await site.crawl(sitemaps=True, depth=0)
    assert names(crawl) == ["start"]
    assert crawl.problems == [f"website: {site.base}/sitemap.xml: it has a document type declaration"]
