// Looks at jobs by keyboard: one while it runs, its refusals with examples, its timeline and its log, and a retry.
import { answered, arrive, judge, press, signIn, visit } from "./browser/page.mjs";

const HOSTILE = "<img src=x onerror=alert(3)>";
const FAR = { timeout: 60_000 };

export const provoked = [/^503 .*\/log$/];

export default async function jobView(page, { url, key, gallery, live, failed, name }, seen) {
  const facts = {};
  const note = (view) => judge(page, seen, view);
  await signIn(page, url, key, `#/jobs/${live}`, name);
  await page.locator(".strip img").first().waitFor(FAR);
  await page.locator(".badge.going").waitFor();
  await note("a running job");
  await fetch(`${gallery}/open`);
  await page.getByText("Open the dataset").waitFor(FAR);
  await answered(page, seen);
  await page.locator(".strip img").nth(3).waitFor();
  facts.pictures = await page.locator("main img").evaluateAll((found) => found.map(({ src }) => new URL(src).protocol));
  facts.spoken = await page.locator("main p[role=status]").textContent();
  await press(page, "Not an image: Examples");
  await page.locator(".examples li").first().waitFor();
  facts.focusAfterOpening = await page.evaluate(() => document.activeElement.textContent);
  await readTimeline(page, facts);
  await readLog(page, facts, note);
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

async function readTimeline(page, facts) {
  const section = page.locator("section", { has: page.locator("h2", { hasText: "Timeline" }) });
  await section.getByText("Ready after").waitFor();
  facts.steps = await section.locator(".spans li > .between > span:first-child").allTextContents();
  facts.bars = await section.locator(".track").evaluateAll((found) => found.map((each) => each.getAttribute("aria-label")));
  facts.columns = await section.locator(".columns").getAttribute("aria-label");
}

/** Reads the log where the app is not set up for it, and then as it is where the app is. */
async function readLog(page, facts, note) {
  const section = page.locator("section", { has: page.locator("h2", { hasText: "Log" }) });
  await press(page, "Read the log");
  await section.getByText("This app is not set up to show logs.").waitFor();
  facts.log = await section.innerText();
  const at = "2026-01-01T09:00:02Z";
  const lines = [
    { at, kind: "error", level: "error", name: HOSTILE, text: HOSTILE, duration_ms: null },
    { at, kind: "run", level: "info", name: "crawl_chunk", text: "", duration_ms: 12.4 },
    { at: null, kind: null, level: null, name: null, text: null, duration_ms: null },
  ];
  const body = JSON.stringify({ correlation_id: "x", start: at, end: at, lines, partial: true, truncated: true });
  await page.route(/\/log$/, (route) => route.fulfill({ contentType: "application/json", body }), { times: 1 });
  await press(page, "Read the log");
  await section.locator(".log li").nth(2).waitFor();
  facts.lines = await section.locator(".log li").allInnerTexts();
  await note("a log");
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
