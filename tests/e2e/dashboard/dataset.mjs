// Looks at a dataset by keyboard: filters, histograms, one picture in full, copies that were left out, tier and retention.
import { answered, gone, judge, press, signIn } from "./browser/page.mjs";

export default async function lookAtADataset(page, { url, key, id, name, label }, seen) {
  const facts = {};
  await signIn(page, url, key, `#/datasets/${id}`, name);
  await filter(page, seen, label, facts);
  await look(page, seen, facts);
  await leftOut(page, seen, facts);
  await keep(page, seen, facts);
  await page.emulateMedia({ colorScheme: "dark" });
  await judge(page, seen, "dataset, dark");
  return facts;
}

const shown = async (page, text) => {
  const said = page.locator("section[aria-label='Pictures'] [role=status]", { hasText: text });
  await said.waitFor();
  return said.textContent();
};

async function filter(page, seen, label, facts) {
  // nothing of it is open on a narrow screen
  await press(page, "By size, sharpness and brightness");
  await page.locator(".bins").nth(2).waitFor();
  facts.charts = await page.locator(".bins").evaluateAll((found) => found.map((chart) => [chart.getAttribute("aria-label"), chart.childElementCount]));
  facts.choices = await page.locator("#by-label option, #by-license option").allTextContents();
  await judge(page, seen, "filters");
  await press(page, "Least sharpness", "ArrowRight");
  await shown(page, "shown");
  await answered(page, seen);
  facts.inRange = await page.locator(".histogram", { hasText: "Sharpness" }).locator("span").last().textContent();
  facts.ofRange = await wholeWall(page, seen);
  await press(page, "Show all");
  await answered(page, seen);
  facts.focusAfterAll = await page.evaluate(() => document.activeElement.id);
  if (await page.getByRole("button", { name: "More pictures" }).isVisible()) {
    await press(page, "More pictures");
    await answered(page, seen);
    facts.focusAfterMore = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  }
  await page.locator("#by-label").selectOption(label);
  await page.locator("#by-license").selectOption("cc0");
  await page.locator("#by-sort").selectOption("sharpest");
  await answered(page, seen);
  facts.chosen = await wholeWall(page, seen);
  facts.query = seen.calls.filter(({ path }) => path.includes("sort=")).at(-1).path;
  await press(page, "Show all");
  await answered(page, seen);
  facts.isClear = await page.getByRole("button", { name: "Show all" }).isHidden();
}

/** How many pictures the wall has in all. */
async function wholeWall(page, seen) {
  const more = page.getByRole("button", { name: "More pictures" });
  while (await more.isVisible()) {
    await more.click();
    await answered(page, seen);
  }
  return page.locator(".wall .tile").count();
}

async function look(page, seen, facts) {
  await page.locator(".wall .tile").first().focus();
  await page.keyboard.press("Enter");
  await page.locator(".viewer img").waitFor();
  const text = () => page.locator(".viewer").innerText();
  facts.first = await text();
  await page.keyboard.press("ArrowRight");
  await page.getByText(/^2 of/).waitFor();
  await page.locator(".viewer img").waitFor();
  facts.second = await text();
  facts.links = await page.locator(".viewer a").evaluateAll((found) => found.map(({ href, rel }) => [href, rel]));
  await judge(page, seen, "picture");
  const saved = page.waitForEvent("download");
  await press(page, "Save it");
  facts.saved = (await saved).suggestedFilename();
  await page.keyboard.press("Escape");
  await gone(page);
}

async function leftOut(page, seen, facts) {
  const section = page.locator("section[aria-labelledby=left-out]");
  await section.locator(".chips").scrollIntoViewIfNeeded();
  await section.locator(".copies .tile img").first().waitFor();
  facts.reasons = await section.locator(".bars li span:first-child").allTextContents();
  await judge(page, seen, "left out");
  await section.locator(".copies .tile").first().focus();
  await page.keyboard.press("Enter");
  await page.locator(".viewer img").waitFor();
  facts.copy = await page.locator(".viewer").innerText();
  await page.keyboard.press("Escape");
  await section.getByRole("radio", { name: "Same file" }).focus();
  await page.keyboard.press("Space");
  await section.locator(".copies .tile").first().waitFor();
  await answered(page, seen);
  facts.sameFile = await section.locator(".copies .tile").count();
}

async function keep(page, seen, facts) {
  await press(page, "Retention");
  await page.keyboard.type("30");
  await page.keyboard.press("Enter");
  await page.getByText("It is deleted 30 days after its last use.").waitFor();
  facts.mayHold = await page.getByText("Legal hold").count();
  await press(page, "Move it");
  await judge(page, seen, "tiers");
  await page.keyboard.press("Escape");
  await gone(page);
  await press(page, "Move it");
  await page.getByRole("dialog").getByRole("button", { name: "Move it" }).press("Enter");
  await gone(page);
  await answered(page, seen);
  facts.moved = seen.calls.find(({ method, path }) => method === "POST" && path.endsWith("/tier"))?.status;
}
