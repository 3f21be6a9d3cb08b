// The keys of a user: the list, and a form for a new one.
import { action, confirm, copyable, say } from "../parts/actions.js";
import { change, get } from "../parts/api.js";
import { field, fill, h } from "../parts/dom.js";
import { ago, date } from "../parts/format.js";

const SCOPES = { read: "Look at jobs and datasets", submit: "Submit, cancel and delete", admin: "Everything, of all users" };

/** The keys below a user's path, such as `/api/v1/users/me`. A new key may have some of `scopes`. */
export function keysOf(path, scopes, signal) {
  const list = h("ul.rows");
  const trouble = h("div", { "aria-live": "polite" });
  const made = h("div", { "aria-live": "polite" });
  const element = h("section.stack", h("h2", "Keys"), list, trouble, made, newKey());
  return { element, draw };

  async function draw() {
    const { body } = await get(`${path}/keys`, signal);
    fill(list, body.items.map(row));
  }

  function row(key) {
    const revoke = action("Revoke", "danger", trouble, async () => {
      if (!(await confirm(`Revoke “${key.name}”?`, "Programs that use it are refused from then on.", "Revoke the key"))) return;
      await change("DELETE", key.links.self);
      await draw();
      say("The key is revoked.");
      element.querySelector("#key-name").focus();
    });
    revoke.append(h("span.hidden", ` ${key.name}`));
    const used = key.last_used_at ? `last used ${ago(key.last_used_at)}` : "not used yet";
    const ends = key.expires_at ? ` · expires ${date(key.expires_at)}` : "";
    return h("li.row", h("div.stack.tight", h("strong", h("bdi", key.name)), h("p.small", h("code", `${key.prefix}…`)), h("p.muted.small", `${key.scopes.join(", ")} · ${used}${ends}`)), h("div.acts", revoke));
  }

  function newKey() {
    const name = h("input", { id: "key-name", type: "text", maxlength: 200, required: true, autocomplete: "off" });
    const ends = h("input", { id: "key-ends", type: "date" });
    const boxes = Object.fromEntries(scopes.map((scope) => [scope, h("input", { type: "checkbox", checked: scope === "read" })]));
    const make = action("Make a key", "primary", trouble, async () => {
      fill(trouble);
      const wanted = { name: name.value, scopes: scopes.filter((scope) => boxes[scope].checked), expires_at: ends.value ? `${ends.value}T23:59:59Z` : null };
      const key = await change("POST", `${path}/keys`, wanted, { headers: { "Idempotency-Key": crypto.randomUUID() } });
      fill(made, h("div.card.stack", h("p", h("strong", "Copy the key now. It is not shown again.")), copyable(key.key)));
      name.value = "";
      await draw();
    });
    const choices = scopes.map((scope) => h("label.choice", boxes[scope], h("span", scope, h("small", SCOPES[scope] ?? ""))));
    return h(
      "div.card.stack",
      h("h3", "New key"),
      h("div.pair", field("What is it for?", name), field("Last day, if it should end", ends)),
      h("fieldset.stack.tight", h("legend", "It may"), h("div.choices", choices)),
      h("div", make),
    );
  }
}
