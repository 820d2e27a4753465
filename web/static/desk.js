// Quicker ways through the desk: keys in the queue, a message dragged onto its field. All of it can also be done without.
"use strict";

(() => {
  const queue = document.querySelector("[data-queue]");
  if (queue) listenToKeys(queue);
  const drop = document.querySelector("[data-drop]");
  if (drop) takeDropped(drop);

  function listenToKeys(queue) {
    const asks = [...queue.querySelectorAll("[data-ask]")];
    const list = document.querySelector("[data-keys-list]");
    const strip = document.querySelector("[data-keys]");
    const box = strip.querySelector("[data-keys-on]");
    let at = -1;
    let on = remembered();
    strip.hidden = false;
    box.checked = on;
    box.addEventListener("change", () => { on = box.checked; remember(on); });
    strip.querySelector("[data-keys-show]").addEventListener("click", () => list.showModal());
    queue.addEventListener("focusin", (event) => { at = asks.indexOf(event.target.closest("[data-ask]")); });

    const go = (place) => {
      at = Math.max(0, Math.min(place, asks.length - 1));
      asks[at].querySelector("[data-link]").focus();
    };
    let gone = false;
    window.addEventListener("pageshow", () => { gone = false; });
    const claim = () => {
      const button = at >= 0 && asks[at].querySelector("[data-claim]");
      if (!button || gone) return;
      gone = true;
      button.click();
    };
    const deeds = { j: () => go(at + 1), k: () => go(at - 1), p: claim, "?": () => list.showModal() };
    document.addEventListener("keydown", (event) => {
      if (!on || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || list.open) return;
      if (event.target.matches("textarea, select, input:not([type=radio], [type=checkbox]), [contenteditable]")) return;
      const deed = deeds[event.key.toLowerCase()];
      if (!deed) return;
      event.preventDefault();
      deed();
    });
  }

  function remembered() {
    try { return localStorage.getItem("carbet-raccourcis") !== "non"; } catch { return true; }
  }

  function remember(on) {
    try { localStorage.setItem("carbet-raccourcis", on ? "oui" : "non"); } catch { /* for this page only */ }
  }

  function takeDropped(form) {
    const field = form.querySelector("input[type=file]");
    const others = document.querySelector("[data-typed]");
    const typed = () => document.querySelector(".faults") || [...others.elements].some(
      (one) => one.defaultValue !== undefined && one.value !== one.defaultValue);
    form.addEventListener("submit", (event) => {
      if (typed() && !confirm("Le message prendra la place de ce que vous avez tapé. Le déposer quand même ?")) event.preventDefault();
    });
    form.querySelector("[data-drop-here]").hidden = false;
    for (const kind of ["dragover", "dragenter"]) {
      form.addEventListener(kind, (event) => { event.preventDefault(); form.classList.add("over"); });
    }
    form.addEventListener("dragleave", () => form.classList.remove("over"));
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("over");
      if (event.dataTransfer.files.length !== 1) return;
      field.files = event.dataTransfer.files;
      form.requestSubmit();
    });
  }
})();
