// Buttons that act, questions before acts, and what is said after them.
import { h } from "./dom.js";
import { problem } from "./notices.js";

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
    if (button.ariaDisabled === "true") return;
    // a button that is disabled would lose the focus
    button.ariaDisabled = "true";
    try {
      await act();
    } catch (error) {
      place.replaceChildren(problem(error));
    } finally {
      button.ariaDisabled = "false";
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
