// The frame of the pages for administrators.
import { h } from "../parts/dom.js";

const PAGES = [["Health", "#/admin"], ["Users", "#/admin/users"], ["Nightly run", "#/admin/plan"], ["Audit trail", "#/admin/audit"]];

export function adminPage(title, under, ...content) {
  const place = PAGES.findLast(([, target]) => location.hash.startsWith(target))[1];
  const links = PAGES.map(([text, target]) => h("a", { href: target, "aria-current": target === place ? "page" : null }, text));
  return h("div.stack.loose", h("div.stack.wide", h("nav.tabs", { "aria-label": "Administration" }, links), h("h1", title), under), content);
}
