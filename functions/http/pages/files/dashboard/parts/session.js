// Who uses the page, and what they may do. The key is in the storage of this tab alone, and is sent in a header only.

const KEY = "pixcrawler.key";
let byPlatform = false;
let scopes = [];

export const session = {
  get key() {
    return sessionStorage.getItem(KEY);
  },
  get active() {
    return byPlatform || this.key !== null;
  },
  get byPlatform() {
    return byPlatform && this.key === null;
  },
  may(scope) {
    return scopes.includes(scope);
  },
  allow(found) {
    scopes = found;
  },
  enter(key) {
    sessionStorage.setItem(KEY, key);
  },
  enterByPlatform() {
    byPlatform = true;
  },
  leave() {
    sessionStorage.removeItem(KEY);
    byPlatform = false;
    scopes = [];
  },
};
