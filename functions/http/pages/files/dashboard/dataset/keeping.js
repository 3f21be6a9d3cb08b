// Where the files of a dataset are, what that costs, and how long it is kept.
import { action, ask } from "../parts/actions.js";
import { change } from "../parts/api.js";
import { field, h } from "../parts/dom.js";
import { count, date, money, plural } from "../parts/format.js";
import { facts, notice } from "../parts/notices.js";
import { session } from "../parts/session.js";

const TIERS = {
  hot: "Costs the most to keep, and the least to read.",
  cool: "Cheaper to keep for a month or longer, and read at once.",
  cold: "Cheaper still, for three months or longer, and read at once.",
  archive: "The cheapest. Its files cannot be read until they are brought back, which takes hours.",
};

/** A card. `again` reads the dataset after a change, and problems are shown in `trouble`. */
export function keeping(dataset, trouble, again) {
  const { keeping: kept, costs } = dataset;
  const { currency } = costs.prices;
  const found = [
    facts([
      ["tier", dataset.tier],
      ["a month of storage", money(costs.storage_month, currency)],
      ["one download", money(costs.download, currency)],
    ]),
  ];
  if (kept.moving_to) found.push(notice("other", h("p", `On its way to the ${kept.moving_to} tier.`), ready(kept.rehydration)));
  if (costs.early_deletion > 0) found.push(h("p", `Leaving the ${dataset.tier} tier before ${date(kept.early_deletion_until)} costs ${money(costs.early_deletion, currency)} more.`));
  if (kept.online_until) found.push(h("p", `It stays online until ${date(kept.online_until)} at least.`));
  if (kept.legal_hold) found.push(notice("other", h("p", "Under legal hold: it cannot be deleted.")));
  found.push(h("p", kept.retention_days ? `It is deleted ${plural(kept.retention_days, "day")} after its last use.` : "The policies of the app decide how long it is kept."));
  return h("section.card.stack", h("h2", "Storage"), found, h("div.line", buttons(dataset, trouble, again)), h("p.muted.small", `Prices of ${costs.prices.region}, ${costs.prices.date}.`));
}

function buttons(dataset, trouble, again) {
  const button = (text, question, method, path) =>
    action(text, "", trouble, async () => {
      const wanted = await question();
      if (wanted === null) return;
      await change(method, path, wanted);
      await again();
    });
  const { self, rehydrate } = dataset.links;
  const found = [];
  if (rehydrate) found.push(button("Bring it online", () => askRehydration(dataset), "POST", rehydrate));
  else if (!dataset.keeping.moving_to) found.push(button("Move it", () => askMove(dataset), "POST", `${self}/tier`));
  found.push(button("Retention", () => askKeeping(dataset, session.may("admin")), "PATCH", self));
  return found;
}

function ready(rehydration) {
  if (!rehydration?.files) return null;
  return h("p.muted", `${count(rehydration.ready_files)} of ${plural(rehydration.files.length, "file")} are ready.`);
}

const days = (id, most, values) => h("input", { id, type: "number", min: 1, max: most, step: 1, ...values });
const option = (value, text = value) => h("option", { value }, text);

/** Asks how a dataset should come back from the Archive tier. */
function askRehydration({ costs }) {
  const cost = (priority) => money(costs.rehydration[priority], costs.prices.currency);
  const tier = h("select", { id: "to-tier" }, option("hot"), option("cool"), option("cold"));
  const priority = h("select", { id: "priority" }, option("standard", `Within 15 hours, ${cost("standard")}`), option("high", `Within an hour if it is small, ${cost("high")}`));
  const stay = days("days", 365, { value: 7, required: true });
  const fields = [field("How fast", priority), field("Tier", tier), field("Days to keep it online", stay)];
  const read = () => ({ tier: tier.value, priority: priority.value, days: Number(stay.value) });
  return ask("Bring it online", fields, { agree: "Bring it online", read });
}

/** Asks to which other tier a dataset should move. */
function askMove({ tier, costs, keeping }) {
  const others = Object.keys(TIERS).filter((name) => name !== tier);
  const boxes = others.map((name, at) => h("input", { type: "radio", name: "tier", value: name, checked: at === 0 }));
  const anyway = h("input", { type: "checkbox" });
  const early = costs.early_deletion > 0 ? h("p", `Until ${date(keeping.early_deletion_until)} it costs ${money(costs.early_deletion, costs.prices.currency)} more to leave the ${tier} tier.`) : null;
  const choices = h("fieldset.stack.tight", h("legend", "Tier"), others.map((name, at) => h("label.choice", boxes[at], h("span", name, h("small", TIERS[name])))));
  const fields = [choices, h("label.choice", anyway, h("span", "Archive it even if it is in use", h("small", "Links that were given out stop working."))), early];
  const read = () => {
    const wanted = boxes.find((box) => box.checked).value;
    return { tier: wanted, even_if_in_use: wanted === "archive" && anyway.checked };
  };
  return ask("Move it to another tier", fields, { agree: "Move it", read });
}

/** Asks how long a dataset should be kept; administrators may also set or lift a legal hold. */
function askKeeping({ keeping }, isAdmin) {
  const stay = days("retention", 36500, { value: keeping.retention_days ?? "", placeholder: "as the policies say" });
  const hold = h("input", { type: "checkbox", checked: keeping.legal_hold });
  const fields = [field("Delete it after so many days without use", stay)];
  if (isAdmin) fields.push(h("label.choice", hold, h("span", "Legal hold", h("small", "Nobody can delete it, and its job cannot be retried."))));
  const read = () => {
    const changed = isAdmin && hold.checked !== keeping.legal_hold ? { legal_hold: hold.checked } : {};
    return { retention_days: stay.value === "" ? null : Number(stay.value), ...changed };
  };
  return ask("How long it is kept", fields, { agree: "Save", read });
}
