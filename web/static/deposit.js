"use strict";
// Sends files one by one with their progress, and keeps the page of a deposit up to date. Without it the form
// sends all at once, and the page reloads by itself.

const LATER = new Set([0, 429, 502, 503, 504]); // what a server that is stopped, busy or full answers
const WAITS = [2, 4, 8, 16, 30, 30, 30, 30, 30, 30]; // seconds: a server that is updated is back by then
const NAMED = 10; // files named that were not received
const LOOK = 1500, QUIET_LOOK = 10000, QUIET = 300000; // milliseconds between looks; how long after the end

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const counted = (count, one, many) => `${count.toLocaleString("fr")}\u00a0${count < 2 ? one : many}`;

// -- sending

function prepare(form) {
  const field = form.querySelector("input[type=file]");
  form.querySelector(".drop-here").hidden = false;
  for (const kind of ["dragenter", "dragover"])
    form.addEventListener(kind, (event) => { event.preventDefault(); form.classList.add("over"); });
  for (const kind of ["dragleave", "drop"])
    form.addEventListener(kind, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) send(form, [...event.dataTransfer.files]);
  });
  form.addEventListener("submit", (event) => {
    if (!field.files.length) return;
    event.preventDefault();
    send(form, [...field.files]);
  });
}

async function send(form, files) {
  if (form.dataset.sending) return;
  form.dataset.sending = "yes";
  const said = form.querySelector(".sending p"), bar = form.querySelector("progress");
  form.querySelector(".drop-fields").hidden = true;
  form.querySelector(".sending").hidden = false;
  said.textContent = "L’envoi commence.";
  said.focus();
  window.addEventListener("beforeunload", stay);
  const total = files.reduce((sum, file) => sum + file.size, 0) || 1, refused = [];
  let sent = 0, done = 0, stopped = "", deposit = form.dataset.deposit;
  try {
    deposit = deposit || (await insist("/depot", form, { nom: form.nom.value }, said)).url;
    for (const file of files) {
      const about = `${counted(done + 1, "fichier", "fichiers")} sur ${files.length.toLocaleString("fr")}`;
      said.textContent = `Envoi\u00a0: ${about}, ${file.name}`;
      const fault = await unsendable(file, Number(form.dataset.largest));
      if (fault) refused.push(`${file.name}\u00a0: ${fault}`);
      else await insist(`${deposit}/fichiers`, form, { fichiers: file }, said, (bytes) => { bar.value = (sent + bytes) / total; })
        .catch((status) => { if (status === 413) refused.push(`${file.name}\u00a0: trop volumineux`); else throw status; });
      sent += file.size;
      done += 1;
      bar.value = sent / total;
    }
  } catch (status) { stopped = why(status); }
  window.removeEventListener("beforeunload", stay);
  if (!stopped && !refused.length) location.assign(deposit);
  else tell(form, deposit, stopped, refused, done - refused.length, files.length);
}

const stay = (event) => event.preventDefault();

async function unsendable(file, largest) {
  if (file.size > largest) return "trop volumineux";
  // A folder that was dropped looks like a file until it is read.
  try { await file.slice(0, 1).arrayBuffer(); } catch { return "ne peut pas être lu (un dossier\u00a0? déposez les fichiers qu’il contient)"; }
  return "";
}

function why(status) {
  if (status === 401 || status === 403) return "Vous n’êtes plus connecté. Connectez-vous, ouvrez ce dépôt et ajoutez-y le reste.";
  if (status === 409) return "Ce dépôt a été abandonné entre-temps\u00a0: faites-en un autre avec le reste.";
  if (LATER.has(status)) return "Le serveur ne répond plus, ou ne peut plus rien recevoir. Prévenez l’administrateur, puis ajoutez le reste à ce dépôt.";
  return "L’envoi n’a pas pu se faire. Rechargez la page, puis recommencez\u00a0: ce qui est reçu ne sera pas lu deux fois.";
}

function tell(form, deposit, stopped, refused, received, total) {
  const box = form.querySelector(".sent-badly");
  const add = (kind, text, parent = box) => { const made = document.createElement(kind); made.textContent = text; parent.append(made); return made; };
  form.querySelector(".sending p").textContent = `${counted(received, "fichier reçu", "fichiers reçus")} sur ${total.toLocaleString("fr")}.`;
  if (stopped) add("p", stopped);
  if (refused.length) {
    add("p", "Ceux-ci n’ont pas pu être envoyés\u00a0:");
    const list = add("ul", "");
    list.className = "bullets small";
    for (const line of refused.slice(0, NAMED)) add("li", line, list);
    if (refused.length > NAMED) add("li", `et ${counted(refused.length - NAMED, "autre", "autres")}`, list);
  }
  if (deposit) add("a", "Voir le dépôt").href = deposit;
}

// What a server that is stopped or busy refuses is tried again: the same file is never received twice.
async function insist(url, form, fields, said, progress) {
  for (const seconds of [...WAITS, 0]) {
    try {
      return await post(url, form, fields, progress);
    } catch (status) {
      if (!LATER.has(status) || !seconds) throw status;
      said.textContent = `Le serveur ne répond pas\u00a0; nouvel essai dans ${counted(seconds, "seconde", "secondes")}.`;
      await pause(1000 * seconds);
    }
  }
}

function post(url, form, fields, progress) {
  return new Promise((resolve, reject) => {
    const body = new FormData(), request = new XMLHttpRequest();
    body.append("csrf_token", form.querySelector("[name=csrf_token]").value);
    body.append("suite", "script");
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    request.open("POST", url);
    request.responseType = "json";
    if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => request.status === 200 ? resolve(request.response) : reject(request.status));
    for (const kind of ["error", "abort"]) request.addEventListener(kind, () => reject(0));
    request.send(body);
  });
}

// -- following

async function follow(url) {
  const box = document.getElementById("avancement");
  let said = quarter(box), until = Date.now() + QUIET;
  for (;;) {
    const finished = "finished" in box.dataset;
    if (finished && Date.now() > until) return;
    if (!finished) until = Date.now() + QUIET;
    await pause(finished ? QUIET_LOOK : LOOK);
    if (document.hidden) continue;
    const answer = await fetch(url + location.search).catch(() => null);
    if (!answer || answer.status >= 500 || answer.status === 429) continue;
    const page = new DOMParser().parseFromString(await answer.text().catch(() => ""), "text/html");
    const fresh = page.getElementById("avancement"), annonce = document.getElementById("annonce");
    if (!fresh) { annonce.className = "notice attention"; annonce.textContent = "Vous n’êtes plus connecté\u00a0: rechargez la page pour suivre ce dépôt."; return; }
    update(box, fresh);
    // Read aloud at each quarter, and not at each file.
    if (quarter(box) !== said) annonce.textContent = document.getElementById("ou-en-est").textContent;
    said = quarter(box);
  }
}

function quarter(box) {
  const bar = box.querySelector("progress");
  return bar ? Math.floor(bar.value / 25) : 4;
}

// Only what changed is replaced, so that the place of the reader, the focus and what is unfolded stay.
function update(old, fresh) {
  if ("finished" in fresh.dataset) old.dataset.finished = ""; else delete old.dataset.finished;
  const held = new Map([...old.children].map((part) => [part.dataset.part, part]));
  let last = null;
  for (const part of [...fresh.children]) {
    const now = held.get(part.dataset.part);
    held.delete(part.dataset.part);
    if (now && (busy(now) || text(now) === text(part))) { last = now; continue; }
    if (now) now.replaceWith(part); else if (last) last.after(part); else old.prepend(part);
    last = part;
  }
  for (const gone of held.values()) if (!busy(gone)) gone.remove();
}

const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open]") !== null;
const text = (part) => part.innerHTML.replace(/name="csrf_token" value="[^"]*"/g, "");

// -- the page that was opened

const form = document.getElementById("depot");
if (form) prepare(form);

const live = document.getElementById("avancement");
if (live && live.dataset.live) follow(live.dataset.live);
