// All users, and new ones.
import { action } from "../parts/actions.js";
import { change, get } from "../parts/api.js";
import { field, fill, h } from "../parts/dom.js";
import { ago } from "../parts/format.js";
import { pagedList } from "../parts/lists.js";
import { adminPage } from "./page.js";

export const TIERS = ["free", "pro", "enterprise"];

export async function showUsers({ main, signal }) {
  const { body } = await get("/api/v1/users?limit=20", signal);
  if (signal.aborted) return;
  const empty = h("p.muted", "There is no user yet but the administrator.");
  fill(main, adminPage("Users", null, newUser(), body.items.length > 0 ? pagedList(body, row, "Older users", signal) : empty));
}

export function userBadge(status) {
  return h(status === "active" ? "span.badge.good" : "span.badge.bad", status);
}

function row(user) {
  const about = [`made ${ago(user.created_at)}`, user.identity ? "signs in with the organisation" : null].filter(Boolean).join(" · ");
  return h(
    "li.row",
    h("div.stack.tight", h("a.name", { href: `#/admin/users/${user.id}` }, h("bdi", user.name)), h("p.muted.small", about)),
    h("div.line", h("span.badge", user.tier), userBadge(user.status)),
  );
}

function newUser() {
  const name = h("input", { id: "user-name", type: "text", maxlength: 200, autocomplete: "off" });
  const tier = h("select", { id: "user-tier" }, TIERS.map((each) => h("option", { value: each }, each)));
  const provider = h("input", { id: "provider", type: "text", autocomplete: "off", value: "aad" });
  const subject = h("input", { id: "subject", type: "text", autocomplete: "off", spellcheck: "false" });
  const trouble = h("div");
  let sentAs = "";
  let sendKey = "";
  const make = action("Make the user", "primary", trouble, async () => {
    fill(trouble);
    const identity = subject.value.trim() ? { identity: { provider: provider.value.trim(), subject: subject.value.trim() } } : {};
    const body = JSON.stringify({ name: name.value.trim(), tier: tier.value, ...identity });
    if (body !== sentAs) [sentAs, sendKey] = [body, crypto.randomUUID()];
    const user = await change("POST", "/api/v1/users", body, { headers: { "Idempotency-Key": sendKey } });
    location.hash = `#/admin/users/${user.id}`;
  });
  return h(
    "section.card.stack",
    h("h2", "New user"),
    h("div.fields", field("Name", name), field("Tier", tier)),
    h("details.stack", h("summary", "A person who signs in with the organisation"), h("div.fields", field("Provider", provider), field("The person's id there", subject))),
    trouble,
    h("div", make),
  );
}
