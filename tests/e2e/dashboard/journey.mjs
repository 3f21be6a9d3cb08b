// Uses the dashboard by keyboard on a narrow screen, from the sign-in to the deletion of a dataset.
import { arrive, gone, judge, press, visit } from "./browser/page.mjs";

export const provoked = [/^401 .*\/users\/profile$/, /^400 .*\/specs\/validate$/, /^429 .*\/images\/[\w-]+$/];

export default async function journey(page, given, seen) {
  const facts = {};
  const note = (view) => judge(page, seen, view);
  await page.goto(given.url);
  await page.locator("#key:focus").waitFor();
  await signIn(page, given, facts, note);
  await newJob(page, given, facts, note);
  await watchJob(page, given, facts, note, seen);
  await lookAtDataset(page, given, facts, note, seen);
  await profile(page, given, facts, note);
  await inTheDark(page, note);
  await remove(page, given, facts, note, seen);
  return facts;
}

async function signIn(page, { key }, facts, note) {
  await note("sign in");
  await page.keyboard.type("a-wrong-key");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
  await arrive(page, "Jobs");
  await note("no jobs");
  facts.address = page.url();
  facts.stored = await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]);
}

async function newJob(page, { name, label, urls }, facts, note) {
  await press(page, "New dataset");
  await arrive(page, "New dataset");
  await press(page, "Name of the dataset", "Home");
  await page.keyboard.type(name);
  const spec = JSON.parse(await page.locator("#json").inputValue());
  facts.nameInJson = spec.name;
  await page.locator("#json").fill(JSON.stringify({ ...spec, filters: { max_aspect_ratio: "wide" }, labels: { cat: ["cat"] } }));
  await page.getByRole("alert").waitFor();
  await note("a spec that is refused");
  const items = urls.map((each) => ({ url: each, label }));
  await page.locator("#json").fill(JSON.stringify({ ...spec, sources: [{ type: "urls", items }], seed: 7 }));
  facts.addressesInForm = (await page.locator("#urls").inputValue()).split("\n").length;
  await page.locator("#most").fill("12");
  facts.afterTheForm = JSON.parse(await page.locator("#json").inputValue());
  await page.locator("button:enabled", { hasText: "Start the job" }).waitFor();
  await note("new dataset");
  await press(page, "Start the job");
  await arrive(page, name);
}

async function watchJob(page, { gallery }, facts, note, seen) {
  await page.locator(".badge.going").waitFor();
  await note("job that runs");
  while (seen.calls.filter(({ path }) => /^\/api\/v1\/jobs\/\w+$/.test(path)).length < 2) await page.waitForTimeout(100);
  await fetch(`${gallery}/open`);
  await page.getByText("Open the dataset").waitFor();
  await note("job");
  facts.reasons = await page.locator("section", { hasText: "Why images were refused" }).locator("li strong").allTextContents();
  facts.labelsShown = await page.locator("main bdi").allTextContents();
  facts.picturesOfStrangers = await page.locator("main img[src='x']").count();
}

async function lookAtDataset(page, { name, label }, facts, note, seen) {
  // until the page has seen a refusal: it drops the pictures of the job when one leaves it
  const refused = () => seen.calls.some(({ status }) => status === 429);
  await page.route(/width=256/, (route) => (refused() ? route.continue() : refuse(route)));
  await press(page, "Open the dataset");
  await arrive(page, name);
  facts.images = await page.locator("dl.facts dd").first().textContent();
  await press(page, "Download");
  const link = page.locator("section[aria-label='Download'] a").first();
  await link.waitFor();
  facts.link = await link.getAttribute("href");
  // pictures are read when one scrolls to them
  await page.locator(".wall li:first-child").scrollIntoViewIfNeeded();
  await page.locator(".wall li:first-child img").waitFor();
  facts.pictures = await page.locator("main img").evaluateAll((found) => found.map(({ src }) => new URL(src).protocol));
  await note("dataset");
  await press(page, `${label}, picture 1`);
  await page.locator(".viewer img").waitFor();
  await note("picture");
  await page.keyboard.press("Escape");
  await gone(page);
}

/** Answers a call as the limit of calls does. */
async function refuse(route) {
  await route.fulfill({ status: 429, headers: { "Retry-After": "1" }, contentType: "application/problem+json", body: "{}" });
}

async function profile(page, { name }, facts, note) {
  await visit(page, "#/profile", "Ann");
  await page.locator("#key-name").fill(name);
  await press(page, "Make a key");
  await page.locator(".card pre").waitFor();
  facts.newKey = await page.locator(".card pre").textContent();
  await note("profile");
}

async function inTheDark(page, note) {
  await page.emulateMedia({ colorScheme: "dark" });
  await visit(page, "#/new", "New dataset");
  await page.locator("#label-1").fill("cat");
  await page.locator(".aside .facts").waitFor();
  await note("new dataset, dark");
  await visit(page, "#/jobs", "Jobs");
  await note("jobs, dark");
}

async function remove(page, { name }, facts, note, seen) {
  await visit(page, "#/datasets", "Datasets");
  await note("datasets, dark");
  await press(page, name);
  await arrive(page, name);
  await press(page, "Delete");
  await page.getByRole("dialog").waitFor();
  await note("question, dark");
  await page.keyboard.press("Escape");
  await gone(page);
  facts.focusAfterEscape = await page.evaluate(() => document.activeElement.textContent);
  facts.deletedByEscape = seen.calls.some(({ method }) => method === "DELETE");
  await press(page, "Delete");
  await press(page, "Delete the dataset");
  await page.getByText("No dataset yet").waitFor();
}
