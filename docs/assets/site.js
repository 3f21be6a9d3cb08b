// Mends what the theme lacks for people who use a keyboard or a screen reader.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

// A table that is wider than its place is scrolled by keys when it has the focus.
function reachTables() {
  for (const place of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }
}

// the theme puts tables into their places when it starts
const content = document.querySelector(".md-content");
new MutationObserver(reachTables).observe(content, { childList: true, subtree: true });
window.addEventListener("resize", reachTables);
reachTables();
