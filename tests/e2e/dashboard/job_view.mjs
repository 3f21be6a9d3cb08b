// Looks at jobs by keyboard: one while it runs, its refusals with examples, its timeline and its log, and a retry.
import { answered, arrive, judge, press, setHidden, signIn, visit } from "./browser/page.mjs";

const FAR = { timeout: 60_000 };

export default async function jobView(page, { url, key, live, failed, name }, seen) {
  const facts = {};
  const note = (view) => judge(page, seen, view);
  await signIn(page, url, key, `#/jobs/${live}`, name);
  await page.locator(".strip img").first().waitFor(FAR);
  facts.beganAt = await page.evaluate(() => performance.now() / 1000);
  await page.locator(".badge.going").waitFor();
  await note("a running job");
  await whileHidden(page, seen, facts);
  await page.getByText("Open the dataset").waitFor(FAR);
  await answered(page, seen);
  facts.watchedSeconds = (await page.evaluate(() => performance.now() / 1000)) - facts.beganAt;
  facts.calls = seen.calls.length;
  await page.locator(".strip img").nth(3).waitFor();
  facts.pictures = await page.locator("main img").evaluateAll((found) => found.map(({ src }) => new URL(src).protocol));
  facts.spoken = await page.locator("main p[role=status]").textContent();
  await press(page, "Not an image: Examples");
  await page.locator(".examples li").first().waitFor();
  facts.focusAfterOpening = await page.evaluate(() => document.activeElement.textContent);
  await readTimeline(page, facts);
  await readLog(page, facts);
  await note("a completed job");
  await page.emulateMedia({ colorScheme: "dark" });
  await visit(page, `#/jobs/${failed}`, name);
  await page.locator(".badge.bad").waitFor();
  await openAll(page, facts);
  await note("a failed job, dark");
  await retry(page, facts);
  await note("a job that was retried");
  return facts;
}

/** Hides the page for longer than it waits between two calls. */
async function whileHidden(page, seen, facts) {
  await setHidden(page, true);
  await page.waitForTimeout(2500);
  await answered(page, seen);
  const before = seen.calls.length;
  await page.waitForTimeout(3000);
  facts.callsWhileHidden = seen.calls.length - before;
  await setHidden(page, false);
}

async function readTimeline(page, facts) {
  const section = page.locator("section", { has: page.locator("h2", { hasText: "Timeline" }) });
  await section.getByText("Ready after").waitFor();
  facts.steps = await section.locator(".spans li > .between > span:first-child").allTextContents();
  facts.bars = await section.locator(".track").evaluateAll((found) => found.map((each) => each.getAttribute("aria-label")));
  facts.columns = await section.locator(".columns").getAttribute("aria-label");
}

async function readLog(page, facts) {
  await press(page, "Read the log");
  await page.getByText("This app is not set up to show logs.").waitFor();
  facts.log = await page.locator("section", { has: page.locator("h2", { hasText: "Log" }) }).innerText();
}

async function openAll(page, facts) {
  for (const summary of await page.locator("summary").all()) await summary.press("Enter");
  await page.locator(".examples li").nth(2).waitFor();
  await page.waitForFunction(() => !document.body.innerText.includes("Looking …"));
  facts.examples = await page.locator(".examples li").allInnerTexts();
  facts.links = await page.locator(".examples a").evaluateAll((found) => found.map(({ href, rel }) => [href, rel]));
  facts.strangers = await page.locator("main img, main script, main b").count();
}

async function retry(page, facts) {
  await press(page, "Retry");
  await page.getByText("try 2").waitFor();
  await page.locator(".badge.bad").waitFor(FAR);
  const earlier = page.locator("summary", { hasText: "1 earlier try" });
  await earlier.waitFor();
  await earlier.press("Enter");
  facts.tries = await page.locator("h3").allTextContents();
  await arriveAgain(page);
}

/** The text of the state is spoken, and the view is still the same. */
async function arriveAgain(page) {
  await page.locator("main p[role=status]", { hasText: "Failed" }).waitFor({ state: "attached" });
  await page.reload();
  await arrive(page, "");
}
