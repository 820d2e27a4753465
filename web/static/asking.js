// What was already answered, while somebody types. The button does the same without it.
"use strict";

(() => {
  const form = document.querySelector("[data-ask]");
  const place = document.querySelector("[data-already]");
  if (!form || !place) return;
  const text = form.querySelector("[name=text]");
  const seen = form.querySelector("[data-seen]");
  let timer = 0;
  // What the panel is about: the text that came with the page, unless the browser put another one back.
  let asked = place.hasAttribute("data-filled") ? text.defaultValue.trim() : "";
  let under = null;

  // A double click is one question.
  let gone = false;
  form.addEventListener("submit", (event) => {
    if (gone) event.preventDefault();
    gone = true;
  });
  addEventListener("pageshow", () => {
    gone = false;
    look();
  });

  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 450);
  });

  async function look() {
    const typed = text.value.trim();
    if (typed === asked || typed.length < 8) return;
    asked = typed;
    if (under) under.abort();
    under = new AbortController();
    const body = new URLSearchParams({ text: typed, csrf_token: form.querySelector("[name=csrf_token]").value });
    try {
      const answer = await fetch("/deja-repondu", { method: "POST", body, signal: under.signal });
      if (!answer.ok) {
        asked = "";
        return;
      }
      place.innerHTML = await answer.text();
      seen.value = answer.headers.get("X-Seen") || "";
    } catch (error) {
      if (error.name === "AbortError") return;
      if (asked === typed) asked = "";
      throw error;
    }
  }
})();
