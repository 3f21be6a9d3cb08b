// Uses the dashboard by keyboard on a narrow screen, from the sign-in to the deletion of a dataset. Prints what it saw.
import { judge, open, press } from "./browser.mjs";

const { url, key, urls, name, label } = JSON.parse(process.argv[2]);
const { browser, page, seen } = await open(url, { viewport: { width: 320, height: 640 }, reducedMotion: "reduce" });
const report = { findings: [], facts: {} };
const note = async (view) => report.findings.push(...(await judge(page, view)));
const heading = (text) => page.locator("h1", { hasText: text }).waitFor();
const calls = () => seen.calls.length;

try {
  const began = Date.now();
  await page.goto(url);
  await page.locator("#key").waitFor();
  report.facts.firstPaintSeconds = (Date.now() - began) / 1000;
  await signIn();
  await newJob();
  await watchJob();
  await lookAtDataset();
  await profile();
  await inTheDark();
  await remove();
} finally {
  await browser.close();
}
console.log(JSON.stringify({ ...report, ...seen }));

async function signIn() {
  await note("sign in");
  await page.keyboard.type("a-wrong-key");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
  await heading("Jobs");
  await note("no jobs");
  report.facts.address = page.url();
  report.facts.stored = await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]);
}

async function newJob() {
  await press(page, "New dataset");
  await heading("New dataset");
  await press(page, "Name of the dataset", "Home");
  await page.keyboard.type(name);
  const spec = JSON.parse(await page.locator("#json").inputValue());
  report.facts.nameInJson = spec.name;
  await page.locator("#json").fill(JSON.stringify({ ...spec, filters: { max_aspect_ratio: "wide" }, labels: { cat: ["cat"] } }));
  await page.getByRole("alert").waitFor();
  await note("a spec that is refused");
  const items = urls.map((each) => ({ url: each, label }));
  await page.locator("#json").fill(JSON.stringify({ ...spec, sources: [{ type: "urls", items }], seed: 7 }));
  report.facts.addressesInForm = (await page.locator("#urls").inputValue()).split("\n").length;
  await page.locator("#most").fill("12");
  report.facts.afterTheForm = JSON.parse(await page.locator("#json").inputValue());
  await page.locator("button:enabled", { hasText: "Start the job" }).waitFor();
  await note("new dataset");
  await press(page, "Start the job");
  await heading(name);
}

async function watchJob() {
  await page.locator(".badge.going").waitFor();
  const setHidden = (hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { configurable: true, value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await setHidden(true);
  await page.waitForTimeout(1500);
  const before = calls();
  await page.waitForTimeout(4000);
  report.facts.callsWhileHidden = calls() - before;
  await setHidden(false);
  await page.getByText("Open the dataset").waitFor();
  await note("job");
  report.facts.reasons = await page.locator("section", { hasText: "Why images were refused" }).locator("li strong").allTextContents();
  report.facts.labelsShown = await page.locator("main bdi").allTextContents();
  report.facts.picturesOfStrangers = await page.locator("main img[src='x']").count();
}

async function lookAtDataset() {
  await page.route(/width=256/, refuse, { times: 1 });
  await press(page, "Open the dataset");
  await page.locator("h2", { hasText: "Load it" }).waitFor();
  report.facts.images = await page.locator("dl.facts dd").first().textContent();
  await press(page, "Download");
  const link = page.locator("section[aria-label='Download'] a").first();
  await link.waitFor();
  report.facts.link = await link.getAttribute("href");
  // pictures are read when one scrolls to them
  await page.locator(".wall li:first-child").scrollIntoViewIfNeeded();
  await page.locator(".wall li:first-child img").waitFor();
  report.facts.pictures = await page.locator("main img").evaluateAll((found) => found.map(({ src }) => new URL(src).protocol));
  await note("dataset");
  await press(page, `${label}, picture 1`);
  await page.locator(".viewer img").waitFor();
  await note("picture");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** Answers a call as the limit of calls does. */
async function refuse(route) {
  await route.fulfill({ status: 429, headers: { "Retry-After": "1" }, contentType: "application/problem+json", body: "{}" });
}

async function profile() {
  await page.goto(`${url}/#/profile`);
  await page.locator("#key-name").waitFor();
  await page.locator("#key-name").fill(name);
  await press(page, "Make a key");
  await page.locator(".card pre").waitFor();
  report.facts.newKey = await page.locator(".card pre").textContent();
  await note("profile");
}

async function inTheDark() {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${url}/#/new`);
  await page.locator("#label-1").fill("cat");
  await page.locator(".aside .facts").waitFor();
  await note("new dataset, dark");
  await page.goto(`${url}/#/jobs`);
  await page.locator(".row").waitFor();
  await note("jobs, dark");
}

async function remove() {
  await page.goto(`${url}/#/datasets`);
  await page.locator(".row a").waitFor();
  await note("datasets, dark");
  await press(page, name);
  await page.locator("h2", { hasText: "Load it" }).waitFor();
  await press(page, "Delete");
  await page.getByRole("dialog").waitFor();
  await note("question, dark");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  report.facts.deletedByEscape = seen.calls.some(({ method }) => method === "DELETE");
  await press(page, "Delete");
  await press(page, "Delete the dataset");
  await page.getByText("No dataset yet").waitFor();
}
