"use strict";
// Without this script the page loads itself anew each minute; with it, it is brought up to date in place, so that
// nobody loses the place, the focus or the selection.
(() => {
  const every = 15000;
  const find = (id) => document.getElementById(id);
  const pause = find("pause"), lost = find("lost"), said = find("said");
  let paused = false, since = null;
  const alike = (link) => [...document.querySelectorAll("main a")].filter((each) => each.href === link.href);

  async function update() {
    if (paused || document.hidden || !getSelection().isCollapsed) return;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const focused = document.activeElement.closest("main a");
      const place = focused && alike(focused).indexOf(focused);
      find("main").replaceWith(document.adoptNode(page.getElementById("main")));
      if (focused) alike(focused)[place]?.focus({ preventScroll: true });
      if (document.title !== page.title) said.textContent = document.title = page.title;
      find("icon").href = page.getElementById("icon").href;
      lost.hidden = true;
      since = null;
    } catch {
      since ??= new Date();
      const moment = since.toISOString().slice(11, 16);
      lost.textContent = `The exporter has not answered since ${moment} UTC; what is below is older than that.`;
      lost.hidden = false;
      // Nobody knows how things stand now: a verdict of before must not look like one of now.
      document.title = find("verdict").textContent = "Not known: the exporter does not answer";
      find("verdict").parentElement.className = "verdict waiting";
      find("icon").href = find("icon").href.replace(/%23[0-9a-f]{6}/, "%237f8994");
    }
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on updating" : "Pause updates";
    if (!paused) update();
  });
  document.addEventListener("visibilitychange", update);
  setInterval(update, every);
})();
