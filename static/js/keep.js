// What is typed is kept in this tab until it is saved: a session that expires takes nothing away.
// Also: totals are asked for once typing pauses, and Ctrl+S saves.
(() => {
  "use strict";

  const PREFIX = "pressroom:entry:";
  const form = document.querySelector("[data-entry]");
  const own = form && PREFIX + form.dataset.keep;
  const UNKEPT = new Set(["csrfmiddlewaretoken", "reason", "token", "left"]);
  let waiting = 0;
  let sent = false; // and not answered yet: what changes until then is of what was sent

  function read(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key) || "null");
    } catch {
      return null;
    }
  }

  function write(key, value) {
    try {
      sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Storage is off or full: the form works, it only does not survive a reload.
    }
  }

  function stopWaiting() {
    clearTimeout(waiting);
    waiting = 0;
  }

  function forget() {
    stopWaiting();
    try {
      if (own) sessionStorage.removeItem(own);
    } catch {
      // Nothing was kept.
    }
  }

  function keep(wasSent = false) {
    const fields = [...new FormData(form)].filter(
      ([name, value]) => !UNKEPT.has(name) && typeof value === "string");
    const labels = [...form.querySelectorAll("select[data-picker]")].map((select) => [
      select.name, select.value, select.selectedOptions[0]?.textContent || ""]);
    // Sent with the same token again, it is not saved twice: the answer may have been lost.
    const token = wasSent ? form.elements.token?.value : undefined;
    write(own, { fields, labels, sent: wasSent, token });
  }

  function setPicked(select, value, label) {
    if (!value) return;
    if (select.tomselect) {
      select.tomselect.addOption({ value, text: label });
      select.tomselect.setValue(value, true);
    } else {
      select.append(new Option(label, value, true, true));
    }
  }

  function hidden(name, value) {
    return Object.assign(document.createElement("input"), { type: "hidden", name, value });
  }

  function restore(kept) {
    const spare = form.querySelector("[data-kept-spare]"); // for fields that are fetched later
    const wanted = kept.fields.find(([name]) => name.endsWith("-TOTAL_FORMS"));
    const total = wanted && form.elements[wanted[0]];
    while (total && window.pressroomLines && Number(total.value) < Number(wanted[1])) {
      window.pressroomLines.add();
    }
    for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = false;
    for (const [name, value] of kept.fields) {
      const field = form.elements[name];
      if (!field && spare && name.startsWith("share-")) spare.append(hidden(name, value));
      if (!field || name.endsWith("_FORMS") || field.dataset?.picker) continue;
      if (field.type === "checkbox") field.checked = true;
      else if (field instanceof Element) field.value = value;
    }
    if (kept.sent && kept.token && form.elements.token) form.elements.token.value = kept.token;
    for (const [name, value, label] of kept.labels) setPicked(form.elements[name], value, label);
    sortRows();
    if (window.pressroomLines) window.pressroomLines.refresh();
    document.querySelector("[data-kept]").hidden = false;
  }

  function sortRows() {
    const body = form.querySelector("[data-rows]");
    if (!body) return;
    const place = (row) => Number(row.querySelector(".line-place").value || 1e6);
    body.append(...[...body.children].sort((one, other) => place(one) - place(other)));
  }

  function onTyped(event) {
    if (event.target.closest?.("[data-search]")) return;
    stopWaiting();
    waiting = setTimeout(() => {
      stopWaiting();
      keep(sent);
      form.dispatchEvent(new CustomEvent("recompute"));
    }, 250);
  }

  // What was sent is saved once any other page of ours than the sign-in is reached.
  function forgetWhatWasSaved() {
    if (document.querySelector("form[aria-label='Sign in']")) return;
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(PREFIX) && key !== own && read(key)?.sent) sessionStorage.removeItem(key);
    }
  }

  forgetWhatWasSaved();
  if (!form) return;

  const kept = read(own);
  // A form that was sent and refused is drawn as it was sent, and is not saved.
  if ("bound" in form.dataset) keep();
  else if (kept) restore(kept);
  form.addEventListener("input", onTyped);
  form.addEventListener("change", onTyped);
  form.addEventListener("submit", () => {
    stopWaiting();
    sent = true;
    keep(true);
  });
  window.addEventListener("pagehide", () => { if (waiting) keep(sent); });
  // A form that comes back out of the browser's memory after it was sent is another entry.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && sent) window.location.reload();
  });
  // Of the page, not of the form: after a refusal the keyboard is at what is wrong, above it.
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[name=save]"));
    }
  });
  for (const button of document.querySelectorAll("[data-forget]")) {
    button.addEventListener("click", () => {
      forget();
      if (button.tagName === "BUTTON") window.location.reload();
    });
  }
  document.querySelector("[data-errors]")?.focus();
})();
