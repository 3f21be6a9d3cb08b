// Watches what a page must not do, and uses it as a person does who has a keyboard only.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SERIOUS = new Set(["serious", "critical"]);
const MOST_TABS = 200;

/** A page of a context, and what is seen of it: errors, violations, calls of other servers, and calls of the API. */
export async function watchedPage(context, origin) {
  const page = await context.newPage();
  const seen = { errors: [], violations: [], foreign: [], findings: [], refused: [], calls: [], open: 0 };
  await page.exposeFunction("reportViolation", (text) => seen.violations.push(text));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("dialog", (dialog) => (seen.errors.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    // a browser reports each refused call, also those that a scenario provokes
    const [, status] = /^Failed to load resource: .* status of (\d+)/.exec(message.text()) ?? [];
    if (status) seen.refused.push(`${status} ${new URL(message.location().url).pathname}`);
    else seen.errors.push(message.text());
  });
  const isCall = (request) => new URL(request.url()).pathname.startsWith("/api/");
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["blob:", "data:"].includes(url.protocol) && url.origin !== origin) seen.foreign.push(url.href);
    if (isCall(request)) seen.open += 1;
  });
  page.on("requestfailed", (request) => isCall(request) && (seen.open -= 1));
  page.on("requestfinished", async (request) => {
    if (!isCall(request)) return;
    const url = new URL(request.url());
    const { startTime, responseEnd } = request.timing();
    const response = await request.response();
    seen.open -= 1;
    seen.calls.push({
      // both by the clock of the browser, which does not depend on when this process is told
      startedAt: startTime / 1000,
      endedAt: (startTime + Math.max(0, responseEnd)) / 1000,
      path: url.pathname + url.search,
      method: request.method(),
      status: response.status(),
      conditional: "if-none-match" in request.headers(),
      hasKey: "x-api-key" in request.headers(),
      retryAfter: Number(response.headers()["retry-after"] ?? 0),
    });
  });
  return { page, seen };
}

/** Notes what axe-core finds that is serious, and whether the page is wider than the screen. */
export async function judge(page, seen, view) {
  await page.evaluate(axe);
  // the one frame of the dashboard is a sandbox, in which no script can look
  const { violations } = await page.evaluate(() => window.axe.run(document, { iframes: false }));
  const found = violations.filter(({ impact }) => SERIOUS.has(impact));
  seen.findings.push(...found.map(({ id, nodes }) => `${view}: ${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`));
  const extra = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (extra > 0) seen.findings.push(`${view}: ${extra} pixels too wide`);
}

/** Waits until the view with this heading is ready: it then has the focus. */
export async function arrive(page, heading) {
  await page.locator("h1:focus", { hasText: heading }).waitFor();
}

/** Opens a view by its address, and waits until it is ready. */
export async function visit(page, place, heading) {
  await page.evaluate((hash) => (location.hash = hash), place);
  await arrive(page, heading);
}

/** Signs in with a key, and waits for a view. */
export async function signIn(page, url, key, place = "#/jobs", heading = "Jobs") {
  await page.goto(url);
  await page.locator("#key").fill(key);
  await page.keyboard.press("Enter");
  await arrive(page, "Jobs");
  if (place !== "#/jobs") await visit(page, place, heading);
}

/** Presses Tab until the element with this name has the focus, and then a key. */
export async function press(page, name, key = "Enter") {
  for (let count = 0; count < MOST_TABS; count += 1) {
    const found = await page.evaluate(() => {
      const element = document.activeElement;
      return element.getAttribute("aria-label") ?? (element.labels?.[0] ?? element).textContent.trim();
    });
    if (found === name) {
      await page.keyboard.press(key);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`The key Tab does not lead to ${name}.`);
}

/** Waits until no dialog is open and what the last one asked has ended: a closed dialog is removed a moment later. */
export async function gone(page) {
  await page.locator("dialog").waitFor({ state: "detached" });
}

/** Hides the page as another tab does, or shows it again. */
export async function setHidden(page, hidden) {
  await page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, value });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** Waits until all calls of the page have their answers. */
export async function answered(page, seen) {
  do {
    // what an answer lets the page do next, such as another call, begins within two frames
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  } while (seen.open > 0);
}
