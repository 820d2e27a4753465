// Deciding on key words by keyboard, and completion of terms. Everything here can also be done without it.
"use strict";

(() => {
  const place = document.querySelector("[data-words]");
  if (!place) return;
  const words = [...place.querySelectorAll("[data-word]")];
  const list = document.querySelector("[data-keys-list]");
  const strip = place.querySelector("[data-keys]");
  const box = strip.querySelector("[data-keys-on]");
  const terms = document.getElementById("termes");
  let at = -1;
  let gone = false;

  strip.hidden = false;
  box.checked = remembered();
  box.addEventListener("change", () => remember(box.checked));
  strip.querySelector("[data-keys-show]").addEventListener("click", () => list.showModal());
  place.addEventListener("focusin", (event) => {
    const held = event.target.closest("[data-word]");
    if (held) at = words.indexOf(held);
  });
  place.querySelectorAll("[data-term]").forEach(complete);
  window.addEventListener("pageshow", () => { gone = false; });

  const meant = words.findIndex((word) => `#${word.id}` === location.hash);
  if (meant >= 0 && !place.querySelector("[autofocus]")) go(meant);

  function go(number) {
    at = Math.max(0, Math.min(number, words.length - 1));
    words[at].focus({ preventScroll: true });
    words[at].scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  function press(button) {
    if (gone || !button) return;
    gone = true;
    button.click();
  }

  function decide(key) {
    if (at < 0) return go(0);
    return press(words[at].querySelector(`[data-key=${key}]`));
  }

  function choose() {
    if (at < 0) go(0);
    const details = words[at].querySelector("details");
    if (details) details.open = true;
    words[at].querySelector("[data-term]").focus();
  }

  const deeds = {
    j: () => go(at + 1),
    k: () => go(at - 1),
    a: () => decide("a"),
    r: () => decide("r"),
    c: choose,
    u: () => press(document.querySelector("[data-key=u]")),
    "?": () => list.showModal(),
  };
  // Arrows keep what they do on a button or the page: they are ours on a word itself.
  const moves = { ArrowDown: deeds.j, ArrowUp: deeds.k };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, select, input:not([type=checkbox])");
    if (event.key === "Escape" && typing && event.target.closest("[data-word]")) return event.target.closest("[data-word]").focus();
    if (!box.checked || typing || list.open || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return undefined;
    const deed = deeds[event.key.toLowerCase()] || (event.target.matches("[data-word]") && moves[event.key]);
    if (!deed || (event.repeat && "aru".includes(event.key))) return undefined;
    event.preventDefault();
    return deed();
  });

  function remembered() {
    try { return localStorage.getItem("carbet-raccourcis") !== "non"; } catch { return true; }
  }

  function remember(on) {
    try { localStorage.setItem("carbet-raccourcis", on ? "oui" : "non"); } catch { /* for this page only */ }
  }

  function complete(field) {
    let waiting = 0;
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      if (field.value.trim().length < 2) return;
      waiting = setTimeout(async () => {
        const asked = field.value;
        const answer = await fetch(`/a-valider/termes.json?q=${encodeURIComponent(asked)}`);
        if (!answer.ok || field.value !== asked) return;
        const found = (await answer.json()).terms;
        terms.replaceChildren(...found.map((term) => {
          const option = document.createElement("option");
          option.value = term.label;
          option.label = term.detail;
          return option;
        }));
      }, 150);
    });
  }
})();
