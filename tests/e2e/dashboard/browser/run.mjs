// Runs scenarios in one browser, each in a context of its own. Reads a line of JSON for each scenario,
// {"scenario": path, "given": {...}, "options": {...}}, and writes a line with what was seen, or with why it failed.
// A scenario exports in `provoked` which calls are refused in it, as patterns of "status path". No other call may be.
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import chromium from "@sparticuz/chromium";
import { chromium as driver } from "playwright-core";
import { watchedPage } from "./page.mjs";

// the package's own arguments turn off what is tested here, such as the content security policy
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-zygote", "--disable-dev-shm-usage"];
const LATE_MS = 30_000;

const executablePath = await chromium.executablePath();
// the package unpacks its own fonts, so that a page looks the same on every machine; their configuration names this folder
const fonts = tmpdir() === "/tmp" ? { FONTCONFIG_PATH: "/tmp/fonts" } : {};
const env = { ...process.env, ...fonts };
const browser = await driver.launch({ executablePath, env, args: ARGUMENTS, headless: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { scenario, given, options } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await run(scenario, given, options))}\n`);
}
await browser.close();

async function run(path, given, options) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(LATE_MS);
  const { page, seen } = await watchedPage(context, new URL(given.url).origin);
  try {
    const { default: scenario, provoked = [] } = await import(pathToFileURL(path));
    const facts = await scenario(page, given, seen);
    return { ...seen, refused: seen.refused.filter((call) => !provoked.some((pattern) => pattern.test(call))), facts };
  } catch (error) {
    return { failed: `${error.stack}\n\n${await stateOf(page, seen)}` };
  } finally {
    await context.close();
  }
}

/** What the page looked like when a scenario failed. */
async function stateOf(page, seen) {
  const text = await page.evaluate(() => `${location.href}\nfocus: ${document.activeElement?.outerHTML.slice(0, 200)}\n${document.body.innerText.slice(0, 1500)}`).catch(String);
  const calls = seen.calls.slice(-8).map(({ method, path, status }) => `${method} ${path} ${status}`);
  return [text, ...calls, ...seen.errors, ...seen.violations].join("\n");
}
