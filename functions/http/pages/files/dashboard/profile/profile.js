// The caller's tier, use and keys.
import { action, confirm, copyable, say } from "../parts/actions.js";
import { change, get } from "../parts/api.js";
import { bar } from "../parts/bars.js";
import { fill, h } from "../parts/dom.js";
import { ago, count, date } from "../parts/format.js";
import { facts, notice } from "../parts/notices.js";

const SCOPES = { read: "Look at jobs and datasets", submit: "Submit, cancel and delete", admin: "Everything, of all users" };

export async function showProfile({ main, signal }) {
  let profile;
  try {
    profile = (await get("/api/v1/users/profile", signal)).body;
  } catch (error) {
    if (error.status !== 404) throw error;
    fill(main, h("div.stack", h("h1", "Profile and keys"), notice("other", h("p", "This is the administrator's key of the settings. It has no tier, no limits and no further keys."))));
    return;
  }
  const keys = h("ul.rows");
  const trouble = h("div", { "aria-live": "polite" });
  const made = h("div", { "aria-live": "polite" });
  fill(main, h("div.stack.loose", h("h1", h("bdi", profile.name)), use(profile), h("section.stack", h("h2", "Keys"), keys, trouble, made, newKey())));
  await draw();

  async function draw() {
    const { body } = await get("/api/v1/users/me/keys", signal);
    fill(keys, body.items.map(row));
  }

  function row(key) {
    const revoke = action("Revoke", "danger", trouble, async () => {
      if (!(await confirm(`Revoke “${key.name}”?`, "Programs that use it are refused from then on.", "Revoke the key"))) return;
      await change("DELETE", `/api/v1/users/me/keys/${key.id}`);
      await draw();
      say("The key is revoked.");
    });
    revoke.append(h("span.hidden", ` ${key.name}`));
    const used = key.last_used_at ? `last used ${ago(key.last_used_at)}` : "not used yet";
    const ends = key.expires_at ? ` · expires ${date(key.expires_at)}` : "";
    return h("li.row", h("div.stack.tight", h("strong", h("bdi", key.name)), h("p.small", h("code", `${key.prefix}…`)), h("p.muted.small", `${key.scopes.join(", ")} · ${used}${ends}`)), h("div.acts", revoke));
  }

  function newKey() {
    const name = h("input", { id: "key-name", type: "text", maxlength: 200, required: true, autocomplete: "off" });
    const boxes = Object.fromEntries(profile.scopes.map((scope) => [scope, h("input", { type: "checkbox", checked: scope === "read" })]));
    const make = action("Make a key", "primary", trouble, async () => {
      fill(trouble);
      const scopes = profile.scopes.filter((scope) => boxes[scope].checked);
      const key = await change("POST", "/api/v1/users/me/keys", { name: name.value, scopes }, { headers: { "Idempotency-Key": crypto.randomUUID() } });
      fill(made, h("div.card.stack", h("p", h("strong", "Copy the key now. It is not shown again.")), copyable(key.key)));
      name.value = "";
      await draw();
    });
    const choices = profile.scopes.map((scope) => h("label.choice", boxes[scope], h("span", scope, h("small", SCOPES[scope] ?? ""))));
    return h("div.card.stack", h("h3", "New key"), h("div.field", h("label", { for: "key-name" }, "What is it for?"), name), h("fieldset.stack.tight", h("legend", "It may"), h("div.choices", choices)), h("div", make));
  }
}

function use({ usage, limits, tier }) {
  const used = usage.images_kept + usage.images_reserved;
  const words = `${count(used)} of ${count(limits.images_per_month)} images this month`;
  return h(
    "section.card.stack",
    h("h2", `Tier ${tier}`),
    bar([["kept", usage.images_kept], ["other", usage.images_reserved]], limits.images_per_month, words),
    h("p.number", words, h("span.muted", `, until ${date(usage.resets_at)}`)),
    facts([
      ["jobs now", `${count(usage.jobs_open)} of ${count(limits.jobs_at_once)}`],
      ["images a job", count(limits.images_per_job)],
      ["calls a minute", count(limits.requests_per_minute)],
    ]),
  );
}
