// Keeps the bell's count fresh: seldom, seldomer where nobody looks, often where an answer is due.
// The badge carries its own address; once it has none, as after signing out, nobody asks again.
(() => {
  "use strict";

  const USUAL = 10000;
  const QUICK = 1500;
  const LONGEST = 120000;
  const EAGER = 20000; // after something was asked for
  const ASKED = "pressroom:asked";
  const bell = document.querySelector("[data-bell]");
  if (!bell) return;

  let timer = 0;
  let wait = USUAL;
  let failures = 0;
  const badge = () => bell.querySelector("#bell-badge[hx-get]");

  function askedAt() {
    try {
      return Number(sessionStorage.getItem(ASKED)) || 0;
    } catch {
      return 0;
    }
  }

  function noteAsking() {
    try {
      sessionStorage.setItem(ASKED, String(Date.now()));
    } catch {
      // Storage is off: the next page finds out at the usual pace.
    }
  }

  function isEager() {
    return Date.now() - askedAt() < EAGER || document.querySelector("#ticker[hx-get]") !== null;
  }

  function nextWait() {
    if (failures) return Math.min(LONGEST, USUAL * 2 ** failures);
    if (document.hidden) return Math.min(LONGEST, Math.max(USUAL, wait) * 2);
    return isEager() ? QUICK : USUAL;
  }

  function schedule() {
    clearTimeout(timer);
    if (!badge()) return;
    wait = nextWait();
    timer = setTimeout(ask, wait);
  }

  function ask() {
    clearTimeout(timer);
    if (badge()) window.htmx.trigger(badge(), "poll");
  }

  function fillList() {
    window.htmx.ajax("GET", bell.dataset.bell, { target: "#bell-list", swap: "outerHTML" });
  }

  const address = badge()?.getAttribute("hx-get");
  const isBadge = (event) => event.detail.pathInfo?.requestPath.split("?")[0] === address;

  document.addEventListener("htmx:afterRequest", (event) => {
    const { verb } = event.detail.requestConfig || {};
    if (isBadge(event)) failures = event.detail.successful ? 0 : failures + 1;
    if (isBadge(event)) return void setTimeout(schedule, 0);
    if (verb && verb !== "get") {
      noteAsking();
      ask(); // also after what was read was marked as read
    }
  });

  document.addEventListener("submit", (event) => {
    if (event.target.method === "post") noteAsking();
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) schedule();
    else ask();
  });

  bell.addEventListener("toggle", () => {
    if (bell.open) fillList();
  });

  // What is new while the list is open belongs into it.
  let newest = null;
  document.addEventListener("htmx:afterSettle", () => {
    const now = badge()?.dataset.newest;
    if (now === undefined) return;
    if (newest !== null && now && now !== newest && bell.open && !holdsFocus()) fillList();
    newest = now;
  });

  function holdsFocus() {
    return bell.querySelector("#bell-list").contains(document.activeElement);
  }
})();
