// Sign in with an API key, or by App Service authentication where the app has it.
import { scopesOf } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { notice, problem } from "../parts/notices.js";
import { session } from "../parts/session.js";

// "off", "offered" or, if the browser has signed in at the platform, "done"
const platform = document.documentElement.dataset.signIn;

/** Goes on with the key of this tab or the sign-in at the platform. Returns why that is not possible, or an empty text. */
export async function resume() {
  const { key } = session;
  if (key === null && platform !== "done") return "";
  try {
    session.allow(await scopesOf(key));
    if (key === null) session.enterByPlatform();
  } catch (error) {
    // with a key, the view says what is wrong
    if (key === null) return error.message;
  }
  return "";
}

export function showSignIn(main, signal, why, entered) {
  const trouble = h("div");
  const key = h("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  const button = h(platform === "offered" ? "button" : "button.primary", { type: "submit" }, "Sign in");
  const form = h(
    "form.stack",
    { onsubmit: submit },
    h("div.field", h("label", { for: "key" }, "API key"), key),
    button,
    h("p.muted.small", "Use the key that make start prints, or that an administrator made for you. It stays in this tab, and is gone when you close it."),
  );
  fill(
    main,
    h(
      "div.gate.stack.loose",
      h("div.stack", h("h1", "Pictures, found and checked."), h("p.lead", "Name what you want to see. Get a dataset without broken files and duplicates, with the licence of every image.")),
      why ? notice("other", h("p", why)) : null,
      trouble,
      h("div.card.stack", byPlatform(), form),
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
      session.allow(await scopesOf(text, signal));
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

function byPlatform() {
  if (platform === "off") return null;
  const login = h("a.button.primary", { href: ".auth/login/aad?post_login_redirect_uri=/" }, "Sign in with your organisation");
  const other = h("a.button", { href: ".auth/logout?post_logout_redirect_uri=/" }, "Use another account");
  return [platform === "done" ? other : login, h("p.muted.small", "or with a key")];
}
