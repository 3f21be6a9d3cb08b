// The report of a dataset. It fills a page of its own, whose policy allows the styles in it, and is shown in a sandbox.
import { picture } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { problem } from "../parts/notices.js";

addEventListener("hashchange", () => location.reload());
const main = document.querySelector("main");
const id = location.hash.slice(1);
const back = h("p", h("a", { href: `./#/datasets/${id}` }, "Back to the dataset"));
try {
  const src = await picture(`/api/v1/datasets/${encodeURIComponent(id)}/report`);
  const frame = h("iframe", { src, sandbox: true, title: "Report" });
  fill(main, back, frame);
  frame.focus();
} catch (error) {
  fill(main, back, problem(error));
}
