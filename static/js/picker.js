// A select of parties that is found by typing: <select data-picker="/billing/parties/options/">.
(() => {
  "use strict";

  function load(select) {
    return (query, found) => {
      const url = `${select.dataset.picker}?q=${encodeURIComponent(query)}`;
      fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" })
        .then((answer) => {
          if (answer.status === 401) document.dispatchEvent(new CustomEvent("signed-out"));
          return answer.ok ? answer.json() : { options: [] };
        })
        .then((answer) => found(answer.options))
        .catch(() => found());
    };
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
