// Administers users by keyboard, and looks at health, the plan of the nightly run and the audit trail.
import { arrive, gone, judge, press, signIn } from "./browser/page.mjs";

export const provoked = [/^400 .*\/users$/];

export default async function admin(page, { url, key, adminKey, name }, seen) {
  const facts = {};
  const note = (view) => judge(page, seen, view);
  await signIn(page, url, key);
  facts.menu = await page.locator("nav a").allTextContents();
  await page.evaluate(() => (location.hash = "#/admin/users"));
  await page.waitForURL(/#\/jobs$/);
  await arrive(page, "Jobs");
  facts.callsOfOthers = seen.calls.filter(({ path }) => path === "/api/v1/users?limit=20").length;
  await press(page, "Sign out");
  await signIn(page, url, adminKey, "#/admin", "Health");
  facts.health = await page.locator("main .badge").allTextContents();
  facts.parts = await page.locator("main li strong").allTextContents();
  await note("health");
  await users(page, name, facts, note, seen);
  await page.emulateMedia({ colorScheme: "dark" });
  await press(page, "Nightly run");
  await arrive(page, "Nightly run");
  facts.plan = await page.locator(".card").first().textContent();
  await note("plan");
  await press(page, "Audit trail");
  await arrive(page, "Audit trail");
  await page.locator("#action").selectOption("delete_user");
  await page.locator(".row", { hasText: "deleted the user" }).first().waitFor();
  facts.audit = await page.locator(".row").first().textContent();
  await note("audit");
  return facts;
}

async function users(page, name, facts, note, seen) {
  await press(page, "Users");
  await arrive(page, "Users");
  await note("users");
  await press(page, "Make the user");
  await page.getByRole("alert").waitFor();
  await page.locator("#user-name").fill(name);
  await page.locator("#user-tier").selectOption("pro");
  await press(page, "Make the user");
  await arrive(page, name);
  facts.picturesOfStrangers = await page.locator("main img").count();
  await page.locator("#tier").selectOption("enterprise");
  await press(page, "Save");
  await page.locator(".badge", { hasText: "enterprise" }).waitFor();
  await page.locator("#key-name").fill(name);
  await press(page, "Make a key");
  await page.locator(".card pre").waitFor();
  facts.newKey = await page.locator(".card pre").textContent();
  await note("user");
  await press(page, "Disable");
  await page.getByRole("dialog").waitFor();
  await note("question");
  await page.keyboard.press("Escape");
  await gone(page);
  facts.disabledByEscape = seen.calls.filter(({ method }) => method === "PATCH").length > 1;
  await press(page, "Disable");
  await press(page, "Disable the user");
  await page.locator(".badge", { hasText: "disabled" }).waitFor();
  await press(page, `Revoke ${name}`);
  await press(page, "Revoke the key");
  await page.locator(".acts", { hasText: "Revoke" }).waitFor({ state: "detached" });
  await press(page, "Delete");
  await page.getByRole("dialog").waitFor();
  await note("question about datasets");
  await press(page, "Delete the user");
  await arrive(page, "Users");
  await page.locator(".row", { hasText: name }).locator(".badge", { hasText: "deleting" }).waitFor();
}
