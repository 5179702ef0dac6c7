// A select of parties that is found by typing: <select data-picker="/billing/parties/options/">.
(() => {
  "use strict";

  function load(select) {
    return function (query, found) {
      const url = `${select.dataset.picker}?q=${encodeURIComponent(query)}`;
      fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" })
        .then((answer) => {
          if (answer.status === 401) document.dispatchEvent(new CustomEvent("signed-out"));
          return answer.ok ? answer.json() : { options: [] };
        })
        .then((answer) => {
          // An answer to what one has typed over would put its parties among the right ones.
          const isLate = query !== this.inputValue();
          found(isLate ? [] : answer.options);
          if (!isLate) settle(this, query);
        })
        .catch(() => {
          found();
          if (query === this.inputValue()) settle(this, query);
        });
    };
  }

  // Enter or Tab that comes before the answer takes the first party of the answer, not of the list
  // that still stands there from before one typed.
  function settle(picker, query) {
    picker.answered = query;
    if (picker.isWanted && picker.isFocused && picker.activeOption) {
      picker.onOptionSelect(new Event("found"), picker.activeOption);
    }
    picker.isWanted = false;
  }

  function waitForTheAnswer(picker) {
    picker.control_input.addEventListener("input", () => {
      if (picker.inputValue() !== picker.answered) picker.answered = null;
      picker.isWanted = false;
    });
    picker.wrapper.addEventListener("keydown", (event) => {
      const isAwaited = picker.inputValue() !== "" && picker.answered === null;
      if (!isAwaited || event.shiftKey || !["Enter", "Tab"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      picker.isWanted = true;
    }, true);
  }

  function option(data, escape) {
    const [code, ...name] = data.text.split(" · ");
    return `<div><span class="code">${escape(code)}</span> <bdi>${escape(name.join(" · "))}</bdi></div>`;
  }

  function start(select) {
    if (select.tomselect) return;
    const label = document.querySelector(`label[for="${select.id}"]`);
    const described = select.getAttribute("aria-describedby");
    const picker = new window.TomSelect(select, {
      valueField: "value",
      labelField: "text",
      searchField: [], // the server has searched; nothing it found is hidden again
      maxOptions: 20,
      maxItems: 1,
      preload: "focus",
      selectOnTab: true,
      closeAfterSelect: true,
      loadThrottle: 200,
      placeholder: "Type a code or a name",
      shouldLoad: () => true,
      load: load(select),
      onType() { this.clearOptions(); },
      render: {
        option,
        item: option,
        no_results: () => '<div class="no-results">No party matches.</div>',
        loading: () => '<div class="no-results">Looking …</div>',
      },
    });
    waitForTheAnswer(picker);
    // An answer that comes late must not take the focus back from where one types by then.
    const open = picker.open;
    picker.open = () => { if (picker.wrapper.contains(document.activeElement)) open.call(picker); };
    if (label) picker.control_input.setAttribute("aria-label", label.textContent);
    if (described) picker.control_input.setAttribute("aria-describedby", described);
    if (select.getAttribute("aria-invalid")) picker.control_input.setAttribute("aria-invalid", "true");
  }

  function startAll() {
    document.querySelectorAll("select[data-picker]").forEach(start);
  }

  window.pressroomPickers = { startAll };
  startAll();
})();
