// Counts the calls of views in minutes that pass at once: by a clock that the scenario moves.
import { setHidden, signIn, visit } from "./browser/page.mjs";

export default async function pace(page, { url, adminKey, key, jobs }) {
  const facts = {};
  await page.clock.install();
  await page.addInitScript(countCalls);
  await signIn(page, url, key);
  facts.jobs = await minute(page);
  await visit(page, `#/jobs/${jobs[0].id}`, jobs[0].name);
  facts.job = await minute(page);
  facts.pictures = await page.evaluate(() => window.pictures);
  await setHidden(page, true);
  facts.hidden = await minute(page);
  await setHidden(page, false);
  await answered(page);
  facts.states = await page.locator("main .badge").allTextContents();
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn(page, url, adminKey, "#/admin", "Health");
  facts.health = await minute(page);
  await setHidden(page, true);
  facts.hiddenHealth = await minute(page);
  return facts;
}

/** Runs in the page: counts the calls that were made, and those whose answers are not here yet. */
function countCalls() {
  const call = window.fetch;
  window.made = 0;
  window.pictures = 0;
  window.open = 0;
  window.fetch = async (...rest) => {
    // small pictures have a limit of their own, which is ten times as high
    if (/[?&]width=/.test(rest[0])) window.pictures += 1;
    else window.made += 1;
    window.open += 1;
    try {
      const response = await call(...rest);
      await response.clone().arrayBuffer();
      return response;
    } finally {
      window.open -= 1;
    }
  };
}

/** Lets a minute pass, second by second, and returns how many calls the page has made. */
async function minute(page) {
  await answered(page);
  const before = await page.evaluate(() => window.made);
  for (let second = 0; second < 60; second += 1) {
    await page.clock.runFor(1000);
    await answered(page);
  }
  return (await page.evaluate(() => window.made)) - before;
}

/** Waits until all calls of the page have their answers, and what these lead to has begun. */
async function answered(page) {
  await page.evaluate(async () => {
    // timers stand still, but messages arrive
    const { port1, port2 } = new MessageChannel();
    const task = () => new Promise((done) => ((port1.onmessage = done), port2.postMessage(null)));
    do await task();
    while (window.open > 0);
    await task();
  });
}
