// Makes screenshots of the views, each on a screen of its size, in light or dark.
import { answered, signIn, visit } from "./browser/page.mjs";

export default async function screenshots(page, given, seen) {
  await signIn(page, given.url, given.key);
  for (const { view, width, height, scheme, path } of given.shots) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    // an address that differs, so that the view is shown anew
    await visit(page, "#/profile", "Ann");
    await open[view](page, given);
    await complete(page, seen);
    await page.screenshot({ path });
    await page.keyboard.press("Escape");
  }
  return {};
}

const open = {
  job: (page, { id, name }) => visit(page, `#/jobs/${id}`, name),
  dataset: (page, { id, name }) => visit(page, `#/datasets/${id}`, name),
  async picture(page, given) {
    await open.dataset(page, given);
    await page.locator(".wall li:nth-child(2) button").click();
    await page.locator(".viewer img").waitFor();
  },
  async new(page) {
    await visit(page, "#/new", "New dataset");
    await page.locator("#name").fill("Pets and drinks");
    await page.locator("#label-1").fill("cat");
    await page.locator(".aside .facts").waitFor();
    await page.evaluate(() => document.activeElement.blur());
  },
};

/** Waits until all calls are answered and all pictures in sight are drawn. The heading need not show its focus. */
async function complete(page, seen) {
  await page.evaluate(() => document.activeElement.matches("h1") && document.activeElement.blur());
  await answered(page, seen);
  await page.getByText(/^Counting/).waitFor({ state: "hidden" });
  await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode().catch(() => null))));
  await answered(page, seen);
}
