// Loads the page several times, and a view of it whose file is that of another version of the app.
import { arrive, signIn } from "./browser/page.mjs";

export const provoked = [/^404 .*\/profile\.js$/];

export default async function files(page, { url, key }) {
  const visits = [];
  for (let count = 0; count < 3; count += 1) {
    await page.goto(url);
    await page.locator("#key:focus").waitFor();
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    visits.push(await page.evaluate(loaded));
  }
  await signIn(page, url, key);
  await page.route(/\/profile\/profile\.js$/, (route) => route.fulfill({ status: 404, body: "" }));
  await page.evaluate(() => (location.hash = "#/profile"));
  await arrive(page, "There is a new version");
  await page.unrouteAll();
  await page.getByRole("button", { name: "Load the page again" }).click();
  await arrive(page, "Ann");
  return { visits };
}

/** Runs in the page: when something was painted first, and how many files came by the network and from the cache. */
function loaded() {
  const files = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/dashboard/"));
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return { paintedMs: paint.startTime, files: files.length, fetched: files.filter(({ transferSize }) => transferSize > 0).length };
}
