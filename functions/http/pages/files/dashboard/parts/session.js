// Who uses the page. The key is in the storage of this tab alone, and is sent in a header only.

const KEY = "pixcrawler.key";
let byPlatform = false;

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
  enter(key) {
    sessionStorage.setItem(KEY, key);
  },
  enterByPlatform() {
    byPlatform = true;
  },
  leave() {
    sessionStorage.removeItem(KEY);
    byPlatform = false;
  },
};
