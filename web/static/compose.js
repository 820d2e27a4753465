// Writing an answer quicker: drafts kept while one types, passages put where the cursor is, the preview beside.
// All of it can also be done without.
"use strict";

(() => {
  const desk = document.querySelector("[data-compose]");
  if (!desk) return;
  const QUIET = 2500; // milliseconds without a key before a draft is kept
  const form = desk.querySelector("[data-form]");
  const field = form.querySelector("textarea");
  const kept = desk.querySelector("[data-kept]");
  const panel = desk.querySelector("[data-panel]");
  const preview = desk.querySelector("[data-preview-place]");
  const within = (name) => desk.querySelector(`[data-${name}]`);
  const url = desk.dataset.url;
  let timer = 0;
  let flying = null;
  let known = field.value;
  let touched = false;
  let leaving = false;

  // -- drafts

  function send(address, fields) {
    const body = new URLSearchParams({ csrf_token: form.querySelector("[name=csrf_token]").value, ...fields });
    return fetch(`${url}${address}`, { method: "POST", body });
  }

  function keep() {
    clearTimeout(timer);
    if (leaving || field.value === known) return flying || Promise.resolve();
    if (flying) return flying.then(keep);
    const text = field.value;
    flying = draft(text).finally(() => { flying = null; });
    return flying;
  }

  async function draft(text) {
    try {
      const answer = await send("/brouillon", { body: text, version: form.querySelector("[name=version]").value });
      if (!answer.ok) throw new Error(String(answer.status));
      known = text;
      tell(await answer.json());
    } catch {
      kept.textContent = "Le brouillon n’a pas pu être gardé : enregistrez avant de quitter la page.";
    }
  }

  function tell(said) {
    if (said.refused) { kept.textContent = said.refused; return; }
    kept.textContent = said.kept ? `Brouillon gardé à ${said.kept}\u202f; rien n’est envoyé.` : "";
    const unsaved = document.querySelector("[data-unsaved]");
    if (unsaved) unsaved.hidden = Boolean(said.kept);
    for (const name of ["faults", "references"]) put(within(name), said[name]);
    put(within("writers"), said.writers);
    put(within("preview-text"), said.preview);
    within("overtaken").hidden = !said.overtaken;
    const reason = within("reason");
    reason.hidden = said.sourced && !reason.querySelector("input").value;
    within("anyway").hidden = !said.grave;
  }

  function put(place, html) {
    if (place.dataset.had === html) return;
    place.dataset.had = html;
    place.innerHTML = html;
  }

  field.addEventListener("focus", () => { touched = true; });
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(keep, QUIET); });
  window.addEventListener("pagehide", () => {
    if (leaving || field.value === known) return;
    const body = new FormData();
    for (const name of ["csrf_token", "version"]) body.append(name, form.querySelector(`[name=${name}]`).value);
    body.append("body", field.value);
    fetch(`${url}/brouillon`, { method: "POST", body: new URLSearchParams(body), keepalive: true });
  });
  window.addEventListener("pageshow", () => { leaving = false; });

  // What is saved must not be overtaken by a draft of the same text that is still on its way.
  form.addEventListener("submit", (event) => {
    if (leaving) { event.preventDefault(); return; }
    leaving = true;
    clearTimeout(timer);
    if (!flying) return;
    event.preventDefault();
    flying.finally(() => { leaving = false; flying = null; form.requestSubmit(event.submitter); });
  });

  // -- what the panel gives

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches("[data-insert]")) { event.preventDefault(); insert(button); }
    if (button.matches("[data-find]")) { event.preventDefault(); find(); }
    if (button.matches("[data-all]")) { event.preventDefault(); within("cherche").value = ""; find(); }
  });

  async function insert(button) {
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await send("/extrait", { geste: button.value });
      const text = await answer.text();
      if (answer.ok) add(text, button.value.startsWith("citer") ? "Citation ajoutée." : "Réponse reprise : adaptez-la.");
      else if (answer.headers.get("Content-Type").startsWith("text/plain")) kept.textContent = text;
      else form.requestSubmit(button);
    } catch {
      kept.textContent = "Le passage n’a pas pu être lu. Vérifiez la connexion, puis réessayez.";
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  function add(text, said) {
    show(false);
    const at = touched ? field.selectionEnd : field.value.length;
    const before = field.value.slice(0, at);
    const after = field.value.slice(at);
    const lead = !before.trim() ? "" : before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
    const tail = after.startsWith("\n\n") || !after ? "" : after.startsWith("\n") ? "" : "\n";
    field.focus({ preventScroll: true });
    field.setSelectionRange(at, at);
    const whole = lead + text + tail;
    // The old command is the only one that Ctrl+Z takes back.
    if (!document.execCommand("insertText", false, whole)) field.setRangeText(whole, at, at, "end");
    field.classList.remove("compose-done");
    void field.offsetWidth;
    field.classList.add("compose-done");
    keep().then(() => { kept.textContent = `${said} ${kept.textContent}`; });
  }

  const words = within("cherche");
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey) return;
    event.preventDefault();
    find();
  });

  async function find() {
    panel.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${url}/panneau?${new URLSearchParams({ cherche: words.value })}`);
      if (answer.ok) panel.innerHTML = await answer.text();
      else panel.textContent = "La recherche n’a pas abouti. Réessayez.";
      document.getElementById("panneau").scrollTop = 0;
    } catch {
      panel.textContent = "La recherche n’a pas abouti. Vérifiez la connexion, puis réessayez.";
    } finally {
      panel.removeAttribute("aria-busy");
    }
  }

  // -- preview

  const tabs = within("tabs");
  const plain = form.querySelector("[data-preview]");
  tabs.hidden = false;
  plain.hidden = true;
  if (!preview.hidden) show(true);
  within("write").addEventListener("click", () => { show(false); field.focus(); });
  within("read").addEventListener("click", read);

  async function read() {
    if (field.value === known && !within("preview-text").innerHTML.trim()) known = null;
    await keep();
    show(true);
  }

  function show(reading) {
    field.hidden = reading;
    preview.hidden = !reading;
    within("write").setAttribute("aria-pressed", String(!reading));
    within("read").setAttribute("aria-pressed", String(reading));
  }

  // -- keys

  const list = document.querySelector("[data-keys-list]");
  const strip = document.querySelector("[data-keys]");
  strip.hidden = false;
  strip.querySelector("[data-keys-show]").addEventListener("click", () => list.showModal());
  const deeds = {
    "?": () => list.showModal(),
    e: () => { show(false); field.focus(); },
    a: () => (preview.hidden ? read() : show(false)),
    "/": () => words.focus(),
    c: () => { const first = panel.querySelector("[data-insert]"); if (first) first.focus(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || list.open) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-save]"));
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || remembered() === false) return;
    if (event.target.matches("textarea, select, input:not([type=radio], [type=checkbox]), [contenteditable]")) return;
    const deed = deeds[event.key.toLowerCase()];
    if (!deed) return;
    event.preventDefault();
    deed();
  });

  function remembered() {
    try { return localStorage.getItem("carbet-raccourcis") !== "non"; } catch { return true; }
  }
})();
