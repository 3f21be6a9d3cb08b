// Opens the report of a dataset from the dashboard, by keyboard. It is in a sandbox, so it is looked at from outside.
import { arrive, judge, press, signIn } from "./browser/page.mjs";

export const provoked = [/^401 .*\/report$/];

export default async function openTheReport(page, { url, key, id, name }, seen) {
  await signIn(page, url, key, `#/datasets/${id}`, name);
  await press(page, "Report");
  await page.locator("iframe").waitFor();
  const facts = await page.evaluate(() => ({
    title: document.title,
    focus: document.activeElement.tagName,
    sandbox: document.querySelector("iframe").getAttribute("sandbox"),
  }));
  Object.assign(facts, await inFrame(page));
  facts.paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await judge(page, seen, "report page");
  await page.locator("a").focus();
  await page.keyboard.press("Enter");
  await arrive(page, name);
  // a new tab has no key
  await page.evaluate(() => sessionStorage.clear());
  await page.goto(`${url}/report#${id}`);
  facts.withoutKey = await page.getByRole("alert").textContent();
  return facts;
}

/** The texts of the frame, and its background, as the browser has laid them out. */
async function inFrame(page) {
  const frame = page.frames()[1];
  await frame.waitForLoadState();
  let session = await page.context().newCDPSession(frame).catch(() => null);
  session ??= await page.context().newCDPSession(page);
  const { documents, strings } = await session.send("DOMSnapshot.captureSnapshot", { computedStyles: ["background-color"] });
  const report = documents.find(({ documentURL }) => strings[documentURL].startsWith("blob:"));
  const { layout, nodes } = report;
  const at = layout.nodeIndex.findIndex((node) => strings[nodes.nodeName[node]] === "BODY");
  return { texts: layout.text.filter((text) => text >= 0).map((text) => strings[text]), background: strings[layout.styles[at][0]] };
}
