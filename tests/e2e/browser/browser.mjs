// Starts the browser, and watches what a page must not do.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import chromium from "@sparticuz/chromium";
import { chromium as driver } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// the package's own arguments turn off what is tested here, such as the content security policy
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-zygote", "--disable-dev-shm-usage"];
const SERIOUS = new Set(["serious", "critical"]);

export async function open(address, options) {
  const browser = await driver.launch({ executablePath: await chromium.executablePath(), args: ARGUMENTS, headless: true });
  const context = await browser.newContext(options);
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  return { browser, page, seen: await watch(page, new URL(address).origin) };
}

async function watch(page, origin) {
  const seen = { errors: [], violations: [], foreign: [], calls: [] };
  await page.exposeFunction("reportViolation", (text) => seen.violations.push(text));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("dialog", (dialog) => (seen.errors.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("console", (message) => {
    // a browser reports each refused call, also those that the test provokes
    const isExpected = /status of (400|401|429)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isExpected) seen.errors.push(message.text());
  });
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (!["blob:", "data:"].includes(url.protocol) && url.origin !== origin) seen.foreign.push(url.href);
    if (!url.pathname.startsWith("/api/")) return;
    const headers = response.request().headers();
    seen.calls.push({
      at: Date.now() / 1000,
      path: url.pathname + url.search,
      method: response.request().method(),
      status: response.status(),
      conditional: "if-none-match" in headers,
      retryAfter: Number(response.headers()["retry-after"] ?? 0),
    });
  });
  return seen;
}

/** What axe-core finds that is serious, and whether the page is wider than the screen. */
export async function judge(page, view) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document));
  const found = violations.filter(({ impact }) => SERIOUS.has(impact));
  const texts = found.map(({ id, nodes }) => `${view}: ${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  const extra = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return extra > 0 ? [...texts, `${view}: ${extra} pixels too wide`] : texts;
}

/** Presses Tab until the element with this name has the focus, and then a key. */
export async function press(page, name, key = "Enter") {
  for (let count = 0; count < 120; count += 1) {
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
