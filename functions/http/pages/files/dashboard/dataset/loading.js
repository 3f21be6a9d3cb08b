// How to get the files of a dataset, and the lines that load it.
import { copyable } from "../parts/actions.js";
import { h, outside } from "../parts/dom.js";
import { bytes, date } from "../parts/format.js";
import { notice } from "../parts/notices.js";

/** A card with the links to the files. */
export function links(download) {
  const items = [...download.files, ...(download.records ? [download.records] : [])].map((file) =>
    h("li.line.between", file.url ? outside(file.filename, file.url) : h("span", file.filename), h("span.muted.number", bytes(file.size_bytes))),
  );
  const until = h("p.muted.small", `The links work until ${date(download.expires_at)}.`);
  const sum = download.sha256 ? h("p.small", "SHA-256 ", h("code", download.sha256)) : null;
  return h("section.card.stack", { "aria-label": "Download" }, download.notice ? notice("other", h("p", download.notice)) : until, h("ul.stack.tight", items), sum);
}

/** A card with programs to copy. */
export function loading({ id, format }) {
  const client = [`# first: pip install ./client && pixcrawler login ${location.origin}`, "from pixcrawler import load_dataset", "", `for image in load_dataset("${id}"):`, "    print(image.label, image.file, len(image.data))"];
  const folder = ["import datasets", "", format === "zip" ? "# the folder where you unpacked the ZIP" : "# the folder with the files", 'data = datasets.load_dataset("path/to/folder")', 'print(data["train"][0]["label"])'];
  const tar = ["import webdataset", "", 'data = webdataset.WebDataset("path/to/shard.tar").decode("pil")', "print(next(iter(data)).keys())"];
  const part = (title, lines) => h("div.stack", h("h3", title), copyable(lines.join("\n")));
  return h(
    "section.card.stack",
    h("h2", "Load it"),
    h("div.pair", part("While it is used, without a download", client), part(`After a download, with ${format === "webdataset" ? "webdataset" : "datasets"}`, format === "webdataset" ? tar : folder)),
  );
}
