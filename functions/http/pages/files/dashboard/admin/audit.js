// Who changed what: users, keys, secrets of webhooks, and how datasets are kept.
import { get } from "../parts/api.js";
import { field, fill, h } from "../parts/dom.js";
import { date } from "../parts/format.js";
import { pagedList } from "../parts/lists.js";
import { problem } from "../parts/notices.js";
import { adminPage } from "./page.js";

const ACTIONS = {
  create_user: "made the user",
  change_user: "changed the user",
  delete_user: "deleted the user",
  create_key: "made a key of",
  revoke_key: "revoked the key",
  read_webhook_secret: "read the webhook secret of",
  rotate_webhook_secret: "renewed the webhook secret of",
  change_dataset: "changed how a dataset is kept:",
  refresh_dataset: "refreshed a dataset:",
  create_optout: "made the opt-out",
  delete_optout: "removed the opt-out",
};
const OUTCOMES = { done: ["done", "good"], repeated: ["made before", ""], refused: ["refused", "bad"], started: ["not known", "bad"] };

export async function showAudit({ main, signal }) {
  const shown = h("div");
  const actions = Object.entries(ACTIONS).map(([name, text]) => h("option", { value: name }, text.replace(/( of|:)$/, "")));
  const kind = h("select", { id: "action", onchange: read }, h("option", { value: "" }, "all"), actions);
  const user = h("input", { id: "user", type: "search", autocomplete: "off", spellcheck: "false", maxlength: 64, onchange: read });
  const since = h("input", { id: "since", type: "date", onchange: read });
  fill(main, adminPage("Audit trail", null, h("div.fields", field("Action", kind), field("Id of a user", user), field("Since", since)), shown));
  let newest = 0;
  await read();

  async function read() {
    const query = new URLSearchParams({ limit: 20 });
    if (kind.value) query.set("action", kind.value);
    if (user.value.trim()) query.set("user", user.value.trim());
    if (since.value) query.set("since", `${since.value}T00:00:00Z`);
    const mine = ++newest;
    try {
      const { body } = await get(`/api/v1/audit?${query}`, signal);
      const isEmpty = body.items.length === 0 && body.next === null;
      if (mine === newest) fill(shown, isEmpty ? h("p.muted", { role: "status" }, "There is no such change.") : pagedList(body, row, "Older changes", signal));
    } catch (error) {
      if (mine === newest && !signal.aborted) fill(shown, problem(error));
    }
  }
}

function row(entry) {
  const [text, tone] = OUTCOMES[entry.outcome] ?? [entry.outcome, ""];
  const [id, rest] = entry.target.split("/");
  const target = [h("a", { href: `#/admin/users/${id}` }, id), rest ? ` / ${rest}` : ""];
  return h(
    "li.row",
    h(
      "div.stack.tight",
      h("p", h("strong", entry.actor), ` ${ACTIONS[entry.action] ?? entry.action} `, target),
      entry.detail ? h("p.small", entry.detail) : null,
      h("p.muted.small", date(entry.at), entry.key_id ? ` · with the key ${entry.key_id}` : "", " · call ", h("code", entry.correlation_id)),
    ),
    h(`span.badge${tone ? `.${tone}` : ""}`, text),
  );
}
