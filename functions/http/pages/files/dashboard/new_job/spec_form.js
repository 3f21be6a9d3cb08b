// The form of a spec. It changes the fields that it shows, and leaves all others of the spec as they are.
import { shares } from "../parts/charts.js";
import { field, fill, h } from "../parts/dom.js";
import { FORMATS } from "../parts/words.js";
import { LabelRows } from "./label_rows.js";

export const SERVICES = [
  { type: "openverse", name: "Openverse", text: "800 million openly licensed images" },
  { type: "wikimedia", name: "Wikimedia Commons", text: "Up to 10,000 a keyword" },
  { type: "flickr", name: "Flickr", text: "Up to 4,000 a keyword" },
  { type: "pexels", name: "Pexels", text: "Photos, up to 10,000 a keyword" },
  { type: "pixabay", name: "Pixabay", text: "Up to 500 a keyword" },
  { type: "brave", name: "Brave Search", text: "The whole web, licences unknown" },
];

const LICENSES = ["cc0", "pdm", "by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd", "flickr", "pexels", "pixabay", "unknown"];
const SPLITS = ["train", "val", "test"];
const SECTIONS = { name: "what", labels: "what", keywords: "what", sources: "where", filters: "which", max_images_per_label: "which", splits: "splits", output: "splits" };

export class SpecForm {
  #spec = {};
  #changed;
  #sections = {};
  #badges = {};

  constructor(changed) {
    this.#changed = changed;
    this.name = text("name", { maxlength: 200, oninput: () => this.#set({ name: this.name.value || undefined }), placeholder: "dataset" });
    this.rows = new LabelRows((labels) => this.#set({ labels, keywords: undefined }));
    this.services = Object.fromEntries(SERVICES.map(({ type }) => [type, box(() => this.#sources())]));
    this.urls = h("textarea", { id: "urls", rows: "4", spellcheck: "false", oninput: () => this.#sources() });
    this.urlsLabel = text("urls-label", { oninput: () => this.#sources() });
    this.site = text("site", { inputmode: "url", spellcheck: "false", oninput: () => this.#sources() });
    this.licenses = Object.fromEntries(LICENSES.map((code) => [code, box(() => this.#filters())]));
    this.most = number("most", { min: 1, oninput: () => this.#set({ max_images_per_label: read(this.most) }) });
    this.width = number("min-width", { min: 1, oninput: () => this.#filters() });
    this.height = number("min-height", { min: 1, oninput: () => this.#filters() });
    this.near = box(() => this.#dedup());
    this.shares = Object.fromEntries(SPLITS.map((name) => [name, number(`split-${name}`, { min: 0, max: 100, oninput: () => this.#splits() })]));
    this.shareBar = h("div");
    this.format = h("select", { id: "format", onchange: () => this.#set({ output: { ...this.#spec.output, format: this.format.value } }) }, Object.entries(FORMATS).map(([value, name]) => h("option", { value }, name)));
    this.element = h("div.stack.loose", this.#what(), this.#where(), this.#which(), this.#delivery());
  }

  /** Shows a spec, also one that is not valid. */
  show(spec) {
    this.#spec = structuredClone(spec);
    const sources = list(spec.sources);
    const urls = sources.find(({ type, items }) => type === "urls" && Array.isArray(items));
    const site = sources.find(({ type }) => type === "website");
    this.name.value = typeof spec.name === "string" ? spec.name : "";
    this.rows.show(spec.labels ?? Object.fromEntries(list(spec.keywords).map((word) => [word, [word]])));
    for (const [type, input] of Object.entries(this.services)) input.checked = sources.some((source) => source?.type === type);
    this.urls.value = list(urls?.items).map((item) => (typeof item === "string" ? item : (item?.url ?? ""))).join("\n");
    this.urlsLabel.value = urls?.label ?? "";
    this.site.value = list(site?.start_urls).join(" ");
    for (const [code, input] of Object.entries(this.licenses)) input.checked = list(spec.filters?.licenses).includes(code);
    this.most.value = spec.max_images_per_label ?? "";
    this.width.value = spec.filters?.min_width ?? 64;
    this.height.value = spec.filters?.min_height ?? 64;
    this.near.checked = spec.dedup?.near_distance !== null;
    for (const [name, input] of Object.entries(this.shares)) input.value = Math.round(1000 * ((spec.splits ?? { train: 1 })[name] ?? 0)) / 10;
    this.format.value = spec.output?.format in FORMATS ? spec.output.format : "zip";
    this.#drawShares();
  }

  /** Marks the sections that have wrong fields. */
  mark(errors) {
    const wrong = new Set(errors.map(({ field }) => SECTIONS[String(field).split(".")[0]]));
    for (const [name, section] of Object.entries(this.#sections)) section.classList.toggle("wrong", wrong.has(name));
  }

  /** Says of which services the app has no key. */
  markMissing(missing) {
    for (const [type, setting] of Object.entries(missing)) fill(this.#badges[type], `No key: the app lacks ${setting}`);
  }

  #set(fields) {
    const next = { ...this.#spec, ...fields };
    for (const [name, value] of Object.entries(next)) if (value === undefined) delete next[name];
    this.#spec = next;
    this.#changed(structuredClone(next));
  }

  #filters() {
    const licenses = LICENSES.filter((code) => this.licenses[code].checked);
    this.#set({ filters: { ...this.#spec.filters, licenses: licenses.length > 0 ? licenses : null, min_width: read(this.width) ?? 64, min_height: read(this.height) ?? 64 } });
  }

  #dedup() {
    this.#set({ dedup: { ...this.#spec.dedup, near_distance: this.near.checked ? 4 : null } });
  }

  #splits() {
    const found = SPLITS.map((name) => [name, Math.round(10 * (read(this.shares[name]) ?? 0)) / 1000]).filter(([, share]) => share > 0);
    this.#set({ splits: Object.fromEntries(found) });
    this.#drawShares();
  }

  #drawShares() {
    fill(this.shareBar, shares(SPLITS.map((name) => [name, read(this.shares[name]) ?? 0]), "Shares of the splits", (amount) => `${amount} %`));
  }

  #sources() {
    const now = list(this.#spec.sources);
    const kept = now.filter(({ type }) => !(type in this.services) && type !== "website" && type !== "urls");
    const services = SERVICES.filter(({ type }) => this.services[type].checked).map(({ type }) => now.find((each) => each.type === type) ?? { type });
    const label = this.urlsLabel.value.trim();
    const items = this.urls.value.split(/\s+/).filter(Boolean);
    const before = list(now.find(({ type, items: own }) => type === "urls" && own)?.items);
    const same = (url) => before.find((item) => item?.url === url) ?? url;
    const urls = items.length > 0 ? [{ type: "urls", items: items.map(same), ...(label ? { label } : {}) }] : [];
    const blobs = now.filter(({ type, items: own }) => type === "urls" && !own);
    const starts = this.site.value.split(/\s+/).filter(Boolean);
    const site = starts.length > 0 ? [{ ...now.find(({ type }) => type === "website"), type: "website", start_urls: starts }] : [];
    this.#set({ sources: [...services, ...urls, ...blobs, ...site, ...kept] });
  }

  #what() {
    return this.#section("what", "What to collect", field("Name of the dataset", this.name), this.rows.element);
  }

  #where() {
    const choices = SERVICES.map(({ type, name, text: words }) => {
      this.#badges[type] = h("small");
      return h("label.choice", this.services[type], h("span", name, h("small", words), this.#badges[type]));
    });
    return this.#section(
      "where",
      "Where to look",
      h("div.choices", choices),
      h("details.stack", h("summary", "Your own list of addresses, or a website"), h("div.stack", field("Addresses of images, one on each line", this.urls), field("Label of these images", this.urlsLabel), field("Addresses of websites to look through", this.site))),
    );
  }

  #which() {
    const chips = LICENSES.map((code) => h("label.chip", this.licenses[code], code));
    return this.#section(
      "which",
      "Which images are kept",
      h("div.fields", field("Images a label, at most", this.most), field("Smallest width in pixels", this.width), field("Smallest height in pixels", this.height)),
      h("fieldset.stack.tight", h("legend", "Licences"), h("p.muted.small", "Without a choice, images of any licence are kept, also of an unknown one."), h("div.chips", chips)),
      h("label.line.top-aligned", this.near, h("span", "Keep one of several images that look the same")),
    );
  }

  #delivery() {
    const inputs = SPLITS.map((name) => field(`${name}, in percent`, this.shares[name]));
    return this.#section("splits", "What is delivered", h("div.fields", inputs), this.shareBar, field("Format", this.format));
  }

  #section(name, title, ...children) {
    const section = h("section.card.stack", h("h2", title), ...children);
    this.#sections[name] = section;
    return section;
  }
}

const list = (value) => (Array.isArray(value) ? value : []);
const text = (id, more) => h("input", { id, type: "text", autocomplete: "off", ...more });
const number = (id, more) => h("input.number", { id, type: "number", ...more });
const box = (onchange) => h("input", { type: "checkbox", onchange });
const read = (input) => (input.value === "" ? null : Number(input.value));
