// The lines of a document: added, moved and removed by keyboard or by buttons.
// The server numbers them by the hidden `place`, and leaves out those with `remove` ticked.
(() => {
  "use strict";

  const panel = document.querySelector("[data-lines]");
  if (!panel) return;
  const prefix = panel.dataset.lines;
  const body = panel.querySelector("[data-rows]");
  const form = panel.closest("form");
  const totalForms = form.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
  const said = panel.querySelector("[data-said]");
  const rows = () => [...body.children].filter((row) => !row.hidden);
  const inputs = (row) => [...row.querySelectorAll("input, textarea")].filter(
    (input) => input.offsetParent !== null);

  function say(text) {
    said.textContent = text;
  }

  function changed() {
    rows().forEach((row, index) => {
      row.querySelector("[data-no]").textContent = index + 1;
      row.querySelector(".line-place").value = index + 1;
    });
    form.dispatchEvent(new CustomEvent("input", { bubbles: true }));
  }

  function dress(row) {
    row.querySelector(".line-plain").hidden = true;
    row.querySelector(".line-buttons").hidden = false;
    row.hidden = row.querySelector(".line-remove").checked;
  }

  function add(after) {
    const number = Number(totalForms.value);
    const made = panel.querySelector("[data-blank]").content.firstElementChild.cloneNode(true);
    for (const element of made.querySelectorAll("*")) {
      for (const name of ["id", "name", "for", "aria-describedby"]) {
        const value = element.getAttribute(name);
        if (value) element.setAttribute(name, value.replaceAll("__prefix__", number));
      }
    }
    totalForms.value = number + 1;
    dress(made);
    if (after) after.after(made);
    else body.append(made);
    changed();
    return made;
  }

  function focusOn(row, name) {
    if (!row) return;
    const wanted = name && row.querySelector(`[name$="-${name}"]`);
    (wanted && wanted.offsetParent !== null ? wanted : inputs(row)[0])?.focus();
  }

  const fieldOf = (element) => (element.name || "").split("-").pop();

  function remove(row) {
    const all = rows();
    const at = all.indexOf(row);
    row.querySelector(".line-remove").checked = true;
    row.hidden = true;
    if (all.length === 1) add(null);
    changed();
    focusOn(rows()[Math.min(at, rows().length - 1)]);
    say(`Line ${at + 1} is removed.`);
  }

  function move(row, step, field) {
    const all = rows();
    const other = all[all.indexOf(row) + step];
    if (!other) return;
    if (step < 0) other.before(row);
    else other.after(row);
    changed();
    if (field) focusOn(row, field);
    say(`The line is number ${rows().indexOf(row) + 1} now.`);
  }

  function onKey(event) {
    const row = event.target.closest("[data-row]");
    if (event.ctrlKey && event.key === "Enter") {
      focusOn(add(row), null);
      say("A line is added.");
    } else if (row && event.altKey && event.key === "ArrowUp") move(row, -1, fieldOf(event.target));
    else if (row && event.altKey && event.key === "ArrowDown") move(row, 1, fieldOf(event.target));
    else if (row && event.altKey && event.key === "Delete") remove(row);
    else return;
    event.preventDefault();
  }

  function onClick(event) {
    const row = event.target.closest("[data-row]");
    if (event.target.closest("[data-add]")) focusOn(add(null), null);
    else if (row && event.target.closest("[data-up]")) move(row, -1);
    else if (row && event.target.closest("[data-down]")) move(row, 1);
    else if (row && event.target.closest("[data-remove]")) remove(row);
  }

  // Tab out of the last line's last field goes on to a new line, as in a spreadsheet.
  function onLastTab(event) {
    if (event.key !== "Tab" || event.shiftKey || event.ctrlKey || event.altKey) return;
    const row = event.target.closest("[data-row]");
    if (!row || row !== rows().at(-1) || event.target !== inputs(row).at(-1)) return;
    if (!inputs(row).some((input) => input.value !== input.defaultValue)) return;
    event.preventDefault();
    focusOn(add(row), null);
  }

  for (const row of body.children) dress(row);
  panel.querySelector("[data-add]").hidden = false;
  panel.querySelector("[data-keys]").hidden = false;
  form.addEventListener("keydown", onKey);
  body.addEventListener("keydown", onLastTab);
  panel.addEventListener("click", onClick);
  window.pressroomLines = { add: () => add(null), refresh: () => [...body.children].forEach(dress), changed };
  rows().forEach((row, index) => { row.querySelector("[data-no]").textContent = index + 1; });
})();
