// Opens the report of a dataset, which has texts from the web and must do nothing but show itself.
import { judge } from "./browser/page.mjs";

export default async function read(page, { url, key, id }, seen) {
  await page.setExtraHTTPHeaders({ "X-API-Key": key });
  // in its sandbox no script runs, not even those that look at the page
  await page.route("**/report", async (route) => {
    const response = await route.fetch();
    const policy = response.headers()["content-security-policy"];
    if (!policy.startsWith("sandbox; ")) throw new Error(policy);
    await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": policy.slice(9) } });
  });
  await page.goto(`${url}/api/v1/datasets/${id}/report`);
  await judge(page, seen, "report");
  return page.evaluate(() => ({
    name: document.querySelector("h1").textContent,
    labels: [...document.querySelectorAll("#classes ~ table tbody th span")].map((label) => label.textContent),
    histograms: document.querySelectorAll("svg").length,
    pictures: [...document.images].filter((image) => image.complete && image.naturalWidth > 0).length,
    broken: [...document.images].filter((image) => !image.naturalWidth).length,
    markup: document.querySelectorAll("script, a, iframe, form, link, b:not(figcaption b), u").length,
  }));
}
