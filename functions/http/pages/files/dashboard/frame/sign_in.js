// Sign in with an API key, or by App Service authentication where the app has it.
import { get, tryKey } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { problem } from "../parts/notices.js";
import { session } from "../parts/session.js";

const hasPlatform = document.documentElement.dataset.signIn === "on";

/** Uses a sign-in that the browser has already, if the app accepts such. */
export async function signInByPlatform() {
  if (!hasPlatform) return;
  try {
    await get("/api/v1/users/profile");
    session.enterByPlatform();
  } catch {
    // the form is shown
  }
}

export function showSignIn(main, signal, entered) {
  const trouble = h("div");
  const key = h("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  const button = h("button.primary", { type: "submit" }, "Sign in");
  const form = h(
    "form.stack",
    { onsubmit: submit },
    h("div.field", h("label", { for: "key" }, "API key"), key),
    button,
    h("p.muted.small", "The key stays in this tab, and is gone when you close it."),
  );
  const platform = hasPlatform
    ? h("a.button", { href: ".auth/login/aad?post_login_redirect_uri=/" }, "Sign in with your organisation")
    : null;
  fill(
    main,
    h(
      "div.gate.stack.loose",
      h("div.stack", h("h1", "Pictures, found and checked."), h("p.lead", "Name what you want to see. Get a dataset without broken files and duplicates, with the licence of every image.")),
      trouble,
      h("div.card.stack", platform, form),
    ),
  );
  key.focus();

  async function submit(event) {
    event.preventDefault();
    const text = key.value.trim();
    if (!/^[\x21-\x7e]+$/.test(text)) {
      refuse({ message: "A key has only letters, digits and signs, and no spaces." });
      return;
    }
    button.disabled = true;
    try {
      await tryKey(text, signal);
      session.enter(text);
      entered();
    } catch (error) {
      if (!signal.aborted) refuse(error);
    } finally {
      button.disabled = false;
    }
  }

  function refuse(error) {
    fill(trouble, problem(error));
    key.setAttribute("aria-invalid", "true");
    key.select();
  }
}
