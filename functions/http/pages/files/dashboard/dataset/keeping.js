// Where the files of a dataset are, what that costs, and how long it is kept.
import { action } from "../parts/actions.js";
import { change } from "../parts/api.js";
import { h } from "../parts/dom.js";
import { count, date, money, plural } from "../parts/format.js";
import { facts, notice } from "../parts/notices.js";
import { session } from "../parts/session.js";
import { askKeeping, askMove, askRehydration } from "./moves.js";

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
  if (costs.early_deletion > 0) found.push(h("p", `To leave the ${dataset.tier} tier before ${date(kept.early_deletion_until)} costs ${money(costs.early_deletion, currency)} more.`));
  if (kept.online_until) found.push(h("p", `It stays online until ${date(kept.online_until)} at least.`));
  if (kept.legal_hold) found.push(notice("other", h("p", "Under legal hold: it cannot be deleted.")));
  found.push(h("p", kept.retention_days ? `It is deleted ${plural(kept.retention_days, "day")} after its last use.` : "It is kept as the policies say."));
  return h("section.card.stack", h("h2", "Keeping it"), found, h("div.line", buttons(dataset, trouble, again)), h("p.muted.small", `Prices of ${costs.prices.region}, ${costs.prices.date}.`));
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
  found.push(button("Retention", () => askKeeping(dataset, session.may?.("admin") ?? false), "PATCH", self));
  return found;
}

function ready(rehydration) {
  if (!rehydration?.files) return null;
  return h("p.muted", `${count(rehydration.ready_files)} of ${plural(rehydration.files.length, "file")} are ready.`);
}
