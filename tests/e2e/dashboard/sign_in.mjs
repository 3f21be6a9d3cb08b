// Signs in as the platform does it: its proxy names the person in a header, and the page has no key.
import { arrive, judge, press } from "./browser/page.mjs";

// the session at the platform ends, and a person has no active user
export const provoked = [/^401 .*\/(jobs|users\/profile)$/];

export default async function signInByPlatform(page, { url, name }, seen) {
  const facts = {};
  await page.goto(url);
  await page.locator("#key:focus").waitFor();
  facts.callsBefore = seen.calls.length;
  facts.login = await page.getByRole("link", { name: "Sign in with your organisation" }).getAttribute("href");
  await judge(page, seen, "sign in");
  await press(page, "Sign in with your organisation");
  await arrive(page, "Jobs");
  facts.stored = await page.evaluate(() => Object.keys(sessionStorage));
  facts.menu = await page.locator("nav a").allTextContents();
  await press(page, "Profile");
  await arrive(page, name);
  await page.locator("#key-name").fill("laptop");
  await press(page, "Make a key");
  facts.newKey = await page.locator(".card pre").textContent();
  await judge(page, seen, "profile");
  // the session at the platform ends
  await page.context().clearCookies();
  await press(page, "Jobs");
  await page.locator("#key:focus").waitFor();
  await press(page, "Sign in with your organisation");
  await arrive(page, "Jobs");
  await press(page, "Sign out");
  await page.getByRole("link", { name: "Sign in with your organisation" }).waitFor();
  await page.goto(`${url}/.auth/login/stranger`);
  await page.getByText("You are signed in, but you have no active user here.").waitFor();
  facts.other = await page.getByRole("link", { name: "Use another account" }).getAttribute("href");
  await judge(page, seen, "a person without a user");
  facts.keys = seen.calls.filter(({ hasKey }) => hasKey).length;
  return facts;
}
