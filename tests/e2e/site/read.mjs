// Reads pages of the site of the documents, and searches in them.
import { judge } from "../dashboard/browser/page.mjs";

const PAGES = ["/", "/reference/http/keys/"];

export default async function read(page, { url }, seen) {
  for (const path of PAGES) {
    await page.goto(url + path);
    await judge(page, seen, path);
  }
  const copies = await page.locator(".md-code__button[data-md-type=copy]").count();
  await page.keyboard.press("/");
  await page.keyboard.type("WATCHDOG_SCHEDULE");
  const results = page.locator(".md-search-result__item h1");
  await results.first().waitFor();
  return { copies, found: await results.allInnerTexts() };
}
