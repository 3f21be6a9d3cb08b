// Parts that several pages use: bars, facts, notices, confirmations.
import { h } from "./dom.js";
import { count, percent } from "./format.js";
import { STATES } from "./words.js";

export function badge(state) {
  const [text, tone] = STATES[state] ?? [state, ""];
  return h(`span.badge${tone ? `.${tone}` : ""}`, text);
}

/** A bar of parts, [[class, amount], …]. What it shows is said in words as well. */
export function bar(parts, all, words, slim = false) {
  const total = Math.max(all, parts.reduce((sum, [, amount]) => sum + amount, 0), 1);
  const element = h(slim ? "div.bar.slim" : "div.bar", { role: "img", "aria-label": words });
  for (const [kind, amount] of parts) {
    if (amount <= 0) continue;
    const part = h(`span.part.${kind}`);
    part.style.setProperty("width", `${(100 * amount) / total}%`);
    element.append(part);
  }
  return element;
}

export function facts(entries, large = false) {
  const boxes = entries
    .filter((entry) => entry)
    .map(([term, value, kind]) => h(kind ? `div.${kind}` : "div", h("dt", term), h("dd", value)));
  return h(large ? "dl.facts.large" : "dl.facts", boxes);
}

export function notice(kind, ...children) {
  return h(`div.notice.${kind}`, ...children);
}

export function problem(error) {
  const wrong = error.errors?.map((each) => h("li", h("strong", each.field || "It"), ` ${each.message}`));
  const id = error.correlationId ? h("p.muted.small", "Reference: ", h("code", error.correlationId)) : null;
  return h("div.notice.bad.stack.tight", { role: "alert" }, h("p", error.message), wrong?.length ? h("ul", wrong) : null, id);
}

/** Bars of labels: what was kept, refused and not yet fetched. */
export function labelBars(labels, live) {
  const entries = Object.entries(labels).sort(([, a], [, b]) => b.kept - a.kept || b.found - a.found);
  const most = Math.max(1, ...entries.map(([, each]) => each.found));
  const shown = entries.slice(0, 60);
  const items = shown.map(([label, each]) => {
    const refused = Object.values(each.rejected).reduce((sum, number) => sum + number, 0);
    const words = `${label}: ${each.kept} kept, ${refused} refused`;
    return h(
      "li",
      h("div.line.between", h("bdi", label), h("span.number", h("strong", count(each.kept)), h("span.muted", ` of ${count(each.found)}`))),
      bar([["kept", each.kept], ["refused", refused], ["rest", each.found - each.kept - refused]], most, words),
    );
  });
  const more = entries.length > shown.length ? h("p.muted", `and ${count(entries.length - shown.length)} more labels`) : null;
  const keys = h("div.line", h("span.key.kept", "kept"), h("span.key.refused", "refused"), live ? h("span.key.rest", "not fetched yet") : null);
  return h("div.stack", keys, h("ul.bars", items), more);
}

/** Parts of a whole with names and shares. */
export function shares(entries, words, told = (amount, share) => `${count(amount)} · ${share} %`) {
  const kinds = ["accent", "other", "kept", "refused"];
  const all = entries.reduce((sum, [, amount]) => sum + amount, 0);
  const keys = entries.map(([name, amount], at) => h(`span.key.${kinds[at % 4]}`, `${name} ${told(amount, percent(amount, all))}`));
  return h("div.stack", bar(entries.map(([, amount], at) => [kinds[at % 4], amount]), all, words), h("div.line", keys));
}

/** Asks before something that cannot be taken back. Resolves to whether it was agreed to. */
export function confirm(title, text, agree) {
  return new Promise((done) => {
    const close = (answer) => () => dialog.close(answer);
    const dialog = h(
      "dialog.stack",
      { "aria-labelledby": "question", onclose: () => (done(dialog.returnValue === "yes"), dialog.remove()) },
      h("h2", { id: "question" }, title),
      h("p", text),
      h("div.line", h("button", { type: "button", onclick: close("no") }, "Keep it"), h("button.danger", { type: "button", onclick: close("yes") }, agree)),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

let timer;

/** Says something for a few seconds, also to screen readers. */
export function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => (toast.textContent = ""), 5000);
}

/** A button that does something once at a time, and shows a problem in `place`. */
export function action(text, kind, place, act) {
  const button = h(`button${kind ? `.${kind}` : ""}`, { type: "button" }, text);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      place.replaceChildren(problem(error));
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

export function copyable(text) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    say("Copied");
  };
  return h("div.stack", h("pre", { tabindex: "0" }, h("code", text)), h("div", h("button", { type: "button", onclick: copy }, "Copy")));
}
