// States, facts, notices and problems.
import { h } from "./dom.js";
import { STATES } from "./words.js";

export function badge(state) {
  const [text, tone] = STATES[state] ?? [state, ""];
  return h(`span.badge${tone ? `.${tone}` : ""}`, text);
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
