// Asks how a dataset should come back from the Archive tier.
import { h } from "../parts/dom.js";
import { money } from "../parts/format.js";

/** Resolves to the body of the call, or null if nothing is to happen. */
export function rehydration({ costs }) {
  const cost = (priority) => money(costs.rehydration[priority], costs.prices.currency);
  return new Promise((done) => {
    const priority = h("select", { id: "priority" }, h("option", { value: "standard" }, `Within 15 hours, ${cost("standard")}`), h("option", { value: "high" }, `Within an hour if it is small, ${cost("high")}`));
    const days = h("input", { id: "days", type: "number", min: 1, max: 365, value: 7 });
    const wanted = () => ({ tier: "hot", priority: priority.value, days: Number(days.value) });
    const dialog = h(
      "dialog.stack",
      { "aria-labelledby": "ask", onclose: () => (done(dialog.returnValue === "yes" ? wanted() : null), dialog.remove()) },
      h("h2", { id: "ask" }, "Bring it online"),
      h("div.field", h("label", { for: "priority" }, "How fast"), priority),
      h("div.field", h("label", { for: "days" }, "Days to keep it online"), days),
      h("div.line", h("button", { type: "button", onclick: () => dialog.close("no") }, "Not now"), h("button.primary", { type: "button", onclick: () => dialog.close("yes") }, "Bring it online")),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
