// The caller's tier, use and keys.
import { get } from "../parts/api.js";
import { bar } from "../parts/charts.js";
import { fill, h } from "../parts/dom.js";
import { count, date } from "../parts/format.js";
import { facts, notice } from "../parts/notices.js";
import { keysOf } from "./keys.js";

export async function showProfile({ main, signal }) {
  const { body: profile } = await get("/api/v1/users/profile", signal);
  if (signal.aborted) return;
  if (profile.tier === null) {
    fill(main, h("div.stack.loose", h("h1", h("bdi", profile.name)), notice("other", h("p", "This key is in the settings of the app. It may do everything, and has no tier and no limits."), h("p", h("a", { href: "#/admin/users" }, "Make users and keys")))));
    return;
  }
  const keys = keysOf("/api/v1/users/me", profile.scopes, signal);
  fill(main, h("div.stack.loose", h("div.stack", h("h1", h("bdi", profile.name)), h("div.line", h("span.badge", `${profile.tier} tier`), h("span.muted", `since ${date(profile.created_at)}`))), use(profile), keys.element));
  await keys.draw();
}

function use({ usage, limits }) {
  const used = usage.images_kept + usage.images_reserved;
  const reserved = usage.images_reserved > 0 ? `, ${count(usage.images_reserved)} of them reserved by jobs that run` : "";
  const images = `${count(used)} of ${count(limits.images_per_month)} images${reserved}`;
  return h(
    "section.card.stack",
    h("h2", "This month"),
    h("div.stack.tight", bar([["kept", usage.images_kept], ["other", usage.images_reserved]], limits.images_per_month, images), h("p.small.number", images, h("span.muted", `, until ${date(usage.resets_at)}`))),
    facts([
      ["jobs at once", `${count(usage.jobs_open)} of ${count(limits.jobs_at_once)}`],
      ["images a job", count(limits.images_per_job)],
      ["calls a minute", count(limits.requests_per_minute)],
    ]),
  );
}
