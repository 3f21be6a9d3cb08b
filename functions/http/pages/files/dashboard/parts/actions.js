// Buttons, questions in dialogs, and short messages.
import { h } from "./dom.js";
import { problem } from "./notices.js";

/**
 * Asks in a dialog. Resolves to what `read` returns if the person agrees, or else to null. The key Enter in a field
 * agrees, but not to anything of the kind "danger".
 */
export function ask(title, content, { agree, refuse = "Not now", kind = "primary", read = () => true }) {
  return new Promise((done) => {
    const close = (answer) => () => dialog.close(answer);
    const submit = (event) => (event.preventDefault(), dialog.close("yes"));
    const [box, press] = kind === "danger" ? ["div.stack", { type: "button", onclick: close("yes") }] : ["form.stack", { type: "submit" }];
    const dialog = h(
      "dialog",
      { "aria-labelledby": "question", onclose: () => (done(dialog.returnValue === "yes" ? read() : null), dialog.remove()) },
      h(box, { onsubmit: submit }, h("h2", { id: "question" }, title), content, h("div.line", h("button", { type: "button", onclick: close("no") }, refuse), h(`button.${kind}`, press, agree))),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks before something that cannot be undone easily. Resolves to whether the person agrees. */
export async function confirm(title, text, agree, refuse = "Keep it") {
  return (await ask(title, h("p", text), { agree, refuse, kind: "danger" })) !== null;
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
