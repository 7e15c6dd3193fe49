"use strict";
// Without this script the page reloads every minute. The script updates it in place instead, which preserves the scroll
// position, the focus, the selection, and open details.
(() => {
  const every = 15000;
  const find = (id) => document.getElementById(id);
  const pause = find("pause"), lost = find("lost"), said = find("said");
  let paused = false, since = null;
  const opened = () => [...document.querySelectorAll("main details[open]")].map((details) => details.id);
  const alike = (link) => [...document.querySelectorAll("main a")].filter((other) => other.href === link.href);

  async function update() {
    if (paused || document.hidden || !getSelection().isCollapsed) return;
    try {
      const response = await fetch(location.pathname + location.search, { cache: "no-store" });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const focused = document.activeElement.closest("main a");
      const place = focused && alike(focused).indexOf(focused);
      const summary = document.activeElement.closest("main summary")?.parentElement.id;
      const open = opened();
      find("main").replaceWith(document.adoptNode(page.getElementById("main")));
      for (const id of open) find(id)?.setAttribute("open", "");
      if (focused) alike(focused)[place]?.focus({ preventScroll: true });
      if (summary) find(summary)?.querySelector("summary").focus({ preventScroll: true });
      if (document.title !== page.title) said.textContent = document.title = page.title;
      find("icon").href = page.getElementById("icon").href;
      lost.hidden = true;
      since = null;
    } catch {
      since ??= new Date();
      const moment = since.toISOString().slice(11, 16);
      lost.textContent = `The exporter has not responded since ${moment} UTC; the data below is older than that.`;
      lost.hidden = false;
      // The current status is unknown, and the last one must not look current.
      document.title = find("verdict").textContent = "Unknown: the exporter does not respond";
      find("verdict").parentElement.className = "verdict waiting";
      find("icon").href = find("icon").href.replace(/%23[0-9a-f]{6}/, "%237f8994");
    }
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume updates" : "Pause updates";
    if (!paused) update();
  });
  document.addEventListener("visibilitychange", update);
  setInterval(update, every);
})();
