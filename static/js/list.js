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

  // A list that is filtered, or follows the workers, is exchanged while somebody works in it: what
  // was ticked stays ticked, and the keyboard stays at its row as long as that is there. All within
  // one exchange: before it has settled another part of the page may be exchanged too.
  let ticked = [];
  let place = null;
  document.addEventListener("htmx:beforeSwap", () => {
    ticked = boxes().filter((box) => box.checked).map((box) => box.value);
    const at = document.activeElement;
    const link = at.closest("[data-list] tr")?.querySelector(".row-link");
    place = link ? { href: link.href, inBox: at.matches("[data-tick]") } : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const box of boxes()) box.checked = box.checked || ticked.includes(box.value);
    count();
    if (!place || document.activeElement !== document.body) return;
    const link = links().find((one) => one.href === place.href);
    const box = link?.closest("tr").querySelector("[data-tick]");
    (place.inBox && box ? box : link)?.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:afterSettle", count);

  // A filter takes away what is typed in the list: asked first, where that is not saved.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.matches(".filters")) return;
    const fields = [...document.querySelectorAll("#results input:not([type=checkbox], [type=hidden])")];
    const unsaved = fields.some((field) => field.value !== field.defaultValue);
    const question = "What you typed in the list is not saved and would be lost. Go on?";
    if (unsaved && !window.confirm(question)) event.preventDefault();
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
