// Runs before the first paint, so that a dark page never flashes white.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("theme") || "auto";
    } catch {
      return "auto";
    }
  }

  function apply() {
    const theme = chosen();
    root.dataset.bsTheme = theme === "auto" ? (system.matches ? "dark" : "light") : theme;
  }

  window.pressroomTheme = {
    chosen,
    choose(theme) {
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // Storage is off: the choice lasts for this page.
        root.dataset.bsTheme = theme;
        return;
      }
      apply();
    },
  };

  system.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  apply();
})();
