// One user: tier, status, use of this month, keys.
import { action, ask, confirm, say } from "../parts/actions.js";
import { change, get } from "../parts/api.js";
import { field, fill, h } from "../parts/dom.js";
import { count, date } from "../parts/format.js";
import { facts } from "../parts/notices.js";
import { session } from "../parts/session.js";
import { keysOf } from "../profile/keys.js";
import { adminPage } from "./page.js";
import { TIERS, userBadge } from "./users.js";

export async function showUser({ main, signal, id }) {
  const path = `/api/v1/users/${id}`;
  let { body: user } = await get(path, signal);
  if (signal.aborted) return;
  document.title = `${user.name} · PixCrawler`;
  const [state, acts, trouble] = [h("div.line"), h("div.line"), h("div", { "aria-live": "polite" })];
  const scopes = ["read", "submit", "admin"].filter((scope) => session.may(scope));
  const keys = keysOf(path, scopes, signal);
  fill(main, adminPage(h("bdi", user.name), h("div.stack", state, acts, trouble), h("div.pair", used(user), about()), keys.element));
  draw();
  await keys.draw();

  function draw() {
    fill(state, userBadge(user.status), h("span.badge", user.tier), h("span.muted", `made ${date(user.created_at)}`));
    fill(acts, user.status === "deleting" ? null : [status(), remove()]);
  }

  async function set(fields, said) {
    user = { ...user, ...(await change("PATCH", path, fields)) };
    draw();
    say(said);
  }

  function about() {
    const name = h("input", { id: "name", type: "text", maxlength: 200, value: user.name, autocomplete: "off" });
    const tier = h("select", { id: "tier" }, TIERS.map((each) => h("option", { value: each, selected: each === user.tier }, each)));
    const wrong = h("div");
    const save = action("Save", "primary", wrong, async () => {
      fill(wrong);
      await set({ name: name.value.trim(), tier: tier.value }, "The user is changed.");
      fill(main.querySelector("h1"), h("bdi", user.name));
    });
    return h("section.card.stack", h("h2", "Name and tier"), h("div.fields", field("Name", name), field("Tier", tier)), wrong, h("div", save));
  }

  function status() {
    if (user.status === "disabled") return action("Enable", "", trouble, () => set({ status: "active" }, "The user is enabled."));
    return action("Disable", "", trouble, async () => {
      if (!(await confirm(`Disable “${user.name}”?`, "The user's keys and sign-in are refused. Jobs that run go on. You can enable the user again.", "Disable the user", "Not now"))) return;
      await set({ status: "disabled" }, "The user is disabled.");
    });
  }

  function remove() {
    return action("Delete", "danger", trouble, async () => {
      const datasets = await askToDelete(user);
      if (datasets === null) return;
      await change("DELETE", `${path}?datasets=${datasets}`);
      location.hash = "#/admin/users";
      say("The user is deleted in the next nights.");
    });
  }
}

function used({ usage }) {
  const shown = facts([
    ["images kept", count(usage.images_kept), "kept"],
    ["images reserved", count(usage.images_reserved)],
    ["jobs now", count(usage.jobs_open)],
  ]);
  return h("section.card.stack", h("h2", "This month"), shown);
}

/** Resolves to `keep` or `delete`, for the user's datasets, or to null if the person does not agree. */
function askToDelete(user) {
  const box = (value, title, text) => h("label.choice", h("input", { type: "radio", name: "datasets", value, checked: value === "keep" }), h("span", title, h("small", text)));
  const choices = h(
    "fieldset.stack.tight",
    h("legend.hidden", "Datasets of the user"),
    box("keep", "Keep the datasets", "They stay in storage, where nobody can call for them."),
    box("delete", "Delete the datasets, too", "This cannot be undone."),
  );
  const text = h("p", "The keys are refused at once. The next nightly runs cancel the jobs and delete the user.");
  const read = () => choices.querySelector(":checked").value;
  return ask(`Delete “${user.name}”?`, [text, choices], { agree: "Delete the user", refuse: "Keep the user", kind: "danger", read });
}
