// Small comforts. Every page also works without this file.
(() => {
  "use strict";

  function typesSomewhere(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  function focusSearch(event) {
    const search = document.querySelector("[data-search]");
    if (!search || typesSomewhere(event.target)) return;
    event.preventDefault();
    search.focus();
    search.select();
  }

  function closeMenus(except) {
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      if (menu === except) continue;
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") focusSearch(event);
    if (event.key === "Escape") closeMenus(null);
  });

  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest("[data-menu]"));
  });

  function showTheme(choice) {
    for (const button of choice.querySelectorAll("[data-theme]")) {
      const pressed = button.dataset.theme === window.pressroomTheme.chosen();
      button.setAttribute("aria-pressed", String(pressed));
    }
  }

  for (const choice of document.querySelectorAll("[data-themes]")) {
    choice.hidden = false;
    showTheme(choice);
    choice.addEventListener("click", (event) => {
      const button = event.target.closest("[data-theme]");
      if (!button) return;
      window.pressroomTheme.choose(button.dataset.theme);
      showTheme(choice);
    });
  }

  // An empty field has no place in an address that people share.
  document.addEventListener("htmx:configRequest", (event) => {
    const { parameters, elt } = event.detail;
    if (!elt.matches(".filters")) return;
    for (const [name, value] of Object.entries(parameters)) {
      if (value === "") delete parameters[name];
    }
  });
})();
