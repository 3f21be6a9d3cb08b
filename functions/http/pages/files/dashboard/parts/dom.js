// Makes elements. Text from outside becomes text nodes and attributes, and is never read as HTML.

const AS_PROPERTY = new Set(["value", "checked", "disabled", "indeterminate", "selected"]);
// characters that change the order in which the text around them is shown: a name could look like another one
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const REFUSED = new Set(["style", "srcdoc", "innerhtml", "outerhtml"]);

/** Makes an element: h("p.muted.small", {id: "x", onclick: act}, "text", child, [children]). */
export function h(kind, ...rest) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length > 0) element.className = classes.join(" ");
  const has = rest.length > 0 && isPlain(rest[0]);
  for (const [name, value] of Object.entries(has ? rest[0] : {})) set(element, name, value);
  element.append(...nodes(has ? rest.slice(1) : rest));
  return element;
}

/** An input that has an id, with its label. */
export const field = (text, input) => h("div.field", h("label", { for: input.id }, text), input);

/** Replaces what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** A link to another site, or its bare text if the address is not one of the web. An address is shown as it is called. */
export function outside(text, address) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return h("bdi", text);
  }
  if (!["http:", "https:"].includes(url.protocol)) return h("bdi", text);
  const shown = text === address ? url.href : text;
  return h("a", { href: url.href, rel: "noopener noreferrer nofollow", target: "_blank" }, h("bdi", shown));
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(plain(child))));
}

const plain = (text) => String(text).replace(DIRECTIONS, "");

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (REFUSED.has(name.toLowerCase())) throw new Error(`${name} is not set from code`);
  if (name.startsWith("on")) {
    if (typeof value !== "function") throw new Error(`${name} must be a function`);
    element.addEventListener(name.slice(2), value);
  } else if (AS_PROPERTY.has(name)) {
    element[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : plain(value));
  }
}

function isPlain(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Node);
}
