// Looks at the reports: where there is no telemetry to read, and as the answers of a busy service.
import { arrive, judge, signIn, visit } from "./browser/page.mjs";

export const provoked = [/^429 .*\/insights\/exceptions$/];

export default async function insights(page, { url, key, adminKey, reports }, seen) {
  const facts = {};
  await signIn(page, url, key);
  facts.menu = await page.locator("nav a").allTextContents();
  await page.evaluate(() => (location.hash = "#/insights"));
  // who may not see them is led to the jobs
  await page.waitForURL(/#\/jobs$/);
  await arrive(page, "Jobs");
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn(page, url, adminKey, "#/insights", "Insights");
  facts.menuOfAdministrator = await page.locator("nav a").allTextContents();
  await page.getByText("No telemetry to read").waitFor();
  facts.callsWithoutTelemetry = seen.calls.filter(({ path }) => path.includes("/insights/")).length;
  await judge(page, seen, "insights that are not set up");
  await page.route(/\/insights$/, async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), notice: null } }));
  await page.route(/\/insights\/\w+\?/, (route) => {
    const [, name] = /\/insights\/(\w+)\?/.exec(route.request().url());
    if (name === "exceptions") return route.fulfill({ status: 429, headers: { "Retry-After": "9" }, json: { detail: "Wait." } });
    return route.fulfill({ json: reports[name] });
  });
  await visit(page, "#/jobs", "Jobs");
  await visit(page, "#/insights", "Insights");
  await page.getByText("All reports are shown.").waitFor({ state: "attached" });
  facts.titles = await page.locator(".card h2").allTextContents();
  facts.charts = await page.locator(".columns").count();
  facts.columns = await page.locator(".columns").first().locator(".column").count();
  facts.tables = await page.locator("table").count();
  facts.words = await page.locator(".columns").first().getAttribute("aria-label");
  await judge(page, seen, "insights");
  await page.emulateMedia({ colorScheme: "dark" });
  await judge(page, seen, "insights, dark");
  await page.unroute(/\/insights\/\w+\?/);
  await page.route(/\/insights\/exceptions\?/, (route) => route.fulfill({ json: reports.exceptions }));
  await page.getByRole("button", { name: "Try again" }).click();
  const card = page.locator(".card", { hasText: "Errors by type" });
  await card.locator(".bars").waitFor();
  facts.message = await card.locator(".bars p").first().textContent();
  return facts;
}
