// Validating by keyboard, and completion of themes. Everything here can also be done without it.
"use strict";

(() => {
  const batch = document.querySelector("[data-batch]");
  if (batch) tickTogether(batch);
  const form = document.querySelector("[data-review]");
  if (form) {
    listenToKeys(form);
    complete(form.querySelector("#theme"), document.getElementById("termes"));
  }

  function tickTogether(batch) {
    const all = batch.querySelector("[data-all]");
    const boxes = [...batch.querySelectorAll("[name=record]")];
    all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
    batch.addEventListener("change", (event) => {
      if (event.target.name !== "record") return;
      const ticked = boxes.filter((box) => box.checked).length;
      all.checked = ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    });
  }

  function listenToKeys(form) {
    const proposals = [...form.querySelectorAll("[data-proposal]")];
    const list = document.querySelector("[data-keys-list]");
    const strip = document.querySelector("[data-keys]");
    const box = strip.querySelector("[data-keys-on]");
    let at = -1;
    let on = remembered();
    strip.hidden = false;
    box.checked = on;
    box.addEventListener("change", () => { on = box.checked; remember(on); });
    strip.querySelector("[data-keys-show]").addEventListener("click", () => list.showModal());

    form.addEventListener("focusin", (event) => {
      const held = event.target.closest("[data-proposal]");
      if (held) at = proposals.indexOf(held);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.id !== "theme" || event.isComposing) return;
      event.preventDefault();
      form.querySelector("[value=add]").click();
    });

    const go = (place) => {
      if (!proposals.length) return;
      at = Math.max(0, Math.min(place, proposals.length - 1));
      proposals[at].focus({ preventScroll: true });
      proposals[at].scrollIntoView({ block: "center", behavior: "instant" });
    };
    const choose = (value, forward) => {
      if (at < 0) return go(0);
      proposals[at].querySelector(`input[value=${value}]`).checked = true;
      if (!forward) return undefined;
      return at + 1 < proposals.length ? go(at + 1) : form.querySelector("[data-key=v]").focus();
    };
    const deeds = {
      j: () => go(at + 1),
      k: () => go(at - 1),
      a: () => choose("accepted", true),
      r: () => choose("refused", true),
      e: () => { const rest = form.querySelector("#rest"); rest.checked = !rest.checked; rest.focus(); },
      t: () => { const title = form.querySelector("#title"); title.focus(); title.select(); },
      n: () => form.querySelector("#theme").focus(),
      v: () => once(form.querySelector("[data-key=v]")),
      s: () => once(form.querySelector("[data-key=s]")),
      "?": () => list.showModal(),
    };
    const moves = { ArrowDown: deeds.j, ArrowUp: deeds.k, " ": () => choose("proposed", false) };

    let gone = false;
    function once(target) {
      if (gone) return;
      gone = true;
      target.click();
    }
    window.addEventListener("pageshow", () => { gone = false; });

    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && isField(event.target)) return event.target.blur();
      if (!on || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat && "vs".includes(event.key)) return undefined;
      if (list.open || isField(event.target)) return undefined;
      // Arrows and space keep what they do on a button, a tick or the page: they are ours on a theme itself.
      const deed = deeds[event.key.toLowerCase()] || (event.target.matches("[data-proposal]") && moves[event.key]);
      if (!deed) return undefined;
      event.preventDefault();
      return deed();
    });
  }

  function isField(target) {
    return target.matches("textarea, select, [contenteditable]")
      || target.matches("input:not([type=radio], [type=checkbox])");
  }

  function remembered() {
    try { return localStorage.getItem("carbet-raccourcis") !== "non"; } catch { return true; }
  }

  function remember(on) {
    try { localStorage.setItem("carbet-raccourcis", on ? "oui" : "non"); } catch { /* for this page only */ }
  }

  function complete(field, list) {
    let waiting = 0;
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      if (field.value.trim().length < 2) return;
      waiting = setTimeout(async () => {
        const asked = field.value;
        const answer = await fetch(`/a-valider/termes.json?q=${encodeURIComponent(asked)}`);
        if (!answer.ok || field.value !== asked) return;
        const { terms } = await answer.json();
        list.replaceChildren(...terms.map((term) => {
          const option = document.createElement("option");
          option.value = term.label;
          option.label = term.detail;
          return option;
        }));
      }, 150);
    });
  }
})();
