// Lists by keyboard: j and k move, Enter opens, x ticks, n is a new record. And ticking many rows.
(() => {
  "use strict";

  const boxes = () => [...document.querySelectorAll("[data-tick]")];
  const links = () => [...document.querySelectorAll("[data-list] .row-link")];

  function count() {
    const form = document.querySelector("[data-bulk]");
    if (!form) return;
    const all = boxes();
    const ticked = all.filter((box) => box.checked).length;
    form.classList.toggle("bulk-active", ticked > 0);
    form.querySelector("[data-bulk-count]").textContent = ticked
      ? `${ticked} ticked` : "Tick rows to act on them";
    for (const button of form.querySelectorAll("button")) button.disabled = ticked === 0;
    const whole = document.querySelector("[data-tick-all]");
    if (!whole) return;
    whole.checked = ticked > 0 && ticked === all.length;
    whole.indeterminate = ticked > 0 && ticked < all.length;
  }

  function move(step) {
    const rows = links();
    if (!rows.length) return;
    const row = document.activeElement.closest("tr");
    const now = rows.findIndex((link) => link.closest("tr") === row);
    const next = now < 0 ? (step > 0 ? 0 : rows.length - 1) : now + step;
    rows[Math.max(0, Math.min(rows.length - 1, next))].focus();
  }

  function tick() {
    const row = document.activeElement.closest("tr");
    const box = row && row.querySelector("[data-tick]");
    if (!box) return;
    box.checked = !box.checked;
    count();
  }

  function open() {
    const link = document.querySelector("[data-new]");
    if (link) link.click();
  }

  const keys = { j: () => move(1), k: () => move(-1), x: tick, n: open };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    const typed = event.target.closest("input:not([type=checkbox]), textarea, select");
    if (typed || event.target.isContentEditable || !document.querySelector("[data-list], [data-new]")) return;
    event.preventDefault();
    keys[event.key]();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-all]")) {
      for (const box of boxes()) box.checked = event.target.checked;
    }
    if (event.target.matches("[data-tick], [data-tick-all]")) count();
  });

  // A list that follows the workers is exchanged while rows are ticked: they stay ticked.
  let ticked = [];
  document.addEventListener("htmx:beforeSwap", () => {
    ticked = boxes().filter((box) => box.checked).map((box) => box.value);
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const box of boxes()) box.checked = box.checked || ticked.includes(box.value);
    count();
  });
  window.addEventListener("pageshow", count);
  count();

  // A part of the page was asked for by somebody who is no longer signed in.
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) document.dispatchEvent(new CustomEvent("signed-out"));
  });
  document.addEventListener("signed-out", () => {
    const note = document.querySelector("[data-signed-out]");
    if (note) note.hidden = false;
    else window.location.reload();
  });
})();
