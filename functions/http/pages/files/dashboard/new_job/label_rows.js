// The rows of labels with the words to search for.
import { fill, h } from "../parts/dom.js";

const MOST_ROWS = 100;

export class LabelRows {
  #rows = [];
  #changed;
  #made = 0;

  constructor(changed) {
    this.#changed = changed;
    this.list = h("div.stack.tight");
    this.note = h("p.muted.small", { role: "status" });
    const add = () => {
      this.#add("", "");
      this.#rows.at(-1).label.focus();
    };
    this.element = h("div.stack", this.list, this.note, h("div", h("button", { type: "button", onclick: add }, "Add a label")));
  }

  show(labels) {
    const known = labels !== null && typeof labels === "object" && !Array.isArray(labels) ? Object.entries(labels) : [];
    if (JSON.stringify(this.#read()) === JSON.stringify(Object.fromEntries(known)) && this.#rows.length > 0) return;
    this.#rows = [];
    for (const [label, words] of known.slice(0, MOST_ROWS)) this.#add(label, wordsText(label, words));
    if (known.length === 0) this.#add("", "");
    this.isCut = known.length > MOST_ROWS;
    this.note.textContent = this.isCut ? `The form shows the first ${MOST_ROWS} labels. Change them in the JSON.` : "";
    this.#draw();
  }

  #add(label, words) {
    this.#made += 1;
    const oninput = () => this.#report();
    const row = {
      label: h("input", { id: `label-${this.#made}`, type: "text", maxlength: 200, autocomplete: "off", value: label, oninput, placeholder: "cat" }),
      words: h("input", { id: `words-${this.#made}`, type: "text", autocomplete: "off", value: words, oninput, placeholder: "cat, kitten" }),
    };
    const remove = () => {
      const at = this.#rows.indexOf(row);
      this.#rows.splice(at, 1);
      if (this.#rows.length === 0) this.#add("", "");
      this.#draw();
      this.#rows[Math.max(0, at - 1)].label.focus();
      this.#report();
    };
    row.element = h(
      "div.label-row",
      h("div.field", h("label", { for: row.label.id }, "Label"), row.label),
      h("div.field", h("label", { for: row.words.id }, "Words to search for"), row.words),
      h("button.quiet", { type: "button", onclick: remove, "aria-label": "Remove this label" }, "×"),
    );
    this.#rows.push(row);
    this.#draw();
  }

  #draw() {
    const elements = this.#rows.map(({ element }) => element);
    // moving an element that has the focus would take the focus away
    if (elements.length !== this.list.children.length || elements.some((each, at) => this.list.children[at] !== each)) fill(this.list, elements);
  }

  #report() {
    if (this.isCut) return;
    const labels = this.#rows.map(({ label }) => label.value.trim()).filter(Boolean);
    this.note.textContent = new Set(labels).size < labels.length ? "Two rows have the same label: the later one counts." : "";
    this.#changed(this.#read());
  }

  #read() {
    const found = this.#rows
      .map(({ label, words }) => [label.value.trim(), words.value.split(",").map((word) => word.trim()).filter(Boolean)])
      .filter(([label]) => label !== "")
      .map(([label, words]) => [label, words.length > 0 ? words : [label]]);
    return Object.fromEntries(found);
  }
}

function wordsText(label, words) {
  const all = Array.isArray(words) ? words.map(String) : [];
  return all.length === 1 && all[0] === label ? "" : all.join(", ");
}
