// Quicker forms of records: rows added and taken out at once, words completed, a warning before work is lost.
"use strict";

const form = document.querySelector("[data-editor]");

function renumber(group, row, index) {
  const name = group.dataset.rows;
  const old = new RegExp(`^${name}-\\d+`);
  for (const one of row.querySelectorAll("[id], [name], [for], [value]")) {
    for (const key of ["id", "name", "for", "aria-describedby"]) {
      const said = one.getAttribute(key);
      if (said) one.setAttribute(key, said.replace(old, `${name}-${index}`));
    }
  }
  const drop = row.querySelector(".drop-row");
  if (drop) drop.value = `enlever ${name}-${index}`;
}

function tell(group) {
  group.querySelectorAll(".row").forEach((row, at) => {
    row.setAttribute("aria-label", `${row.dataset.what} ${at + 1}`);
    const hidden = row.querySelector(".drop-row .hidden");
    if (hidden) hidden.textContent = ` ${row.dataset.what.toLowerCase()} ${at + 1}`;
  });
}

function clear(row) {
  for (const fault of row.querySelectorAll(".fault")) fault.remove();
  for (const wrong of row.querySelectorAll(".wrong")) wrong.classList.remove("wrong");
  for (const one of row.querySelectorAll("input, textarea, select")) {
    one.removeAttribute("aria-invalid");
    one.removeAttribute("aria-describedby");
    one.removeAttribute("list");
    if (one.tagName === "SELECT") one.selectedIndex = 0;
    else one.value = "";
  }
  for (const list of row.querySelectorAll("datalist")) list.remove();
}

function add(group) {
  const rows = group.querySelectorAll(".row");
  const last = rows[rows.length - 1];
  const index = Math.max(...[...rows].map((row) => Number(/-(\d+)/.exec(row.querySelector("[name]").name)[1]))) + 1;
  const fresh = last.cloneNode(true);
  clear(fresh);
  renumber(group, fresh, index);
  last.after(fresh);
  tell(group);
  fresh.querySelector("input:not([type=hidden]), textarea").focus();
}

function take(group, row) {
  const rows = [...group.querySelectorAll(".row")];
  if (rows.length === 1) {
    clear(row);
    row.querySelector("input:not([type=hidden]), textarea").focus();
    return;
  }
  const at = rows.indexOf(row);
  row.remove();
  tell(group);
  const next = group.querySelectorAll(".row")[Math.min(at, rows.length - 2)];
  next.querySelector("input:not([type=hidden]), textarea").focus();
}

let waiting = 0;
async function complete(input) {
  const asked = ++waiting;
  const query = new URLSearchParams({ genre: input.dataset.complete, q: input.value });
  const answer = await fetch(`/notices/completions.json?${query}`);
  if (!answer.ok || asked !== waiting) return;
  const found = (await answer.json()).propositions;
  let list = document.getElementById(`${input.id}-liste`);
  if (!list) {
    list = document.createElement("datalist");
    list.id = `${input.id}-liste`;
    input.after(list);
    input.setAttribute("list", list.id);
  }
  list.replaceChildren(...found.map((words) => Object.assign(document.createElement("option"), { value: words })));
}

function ticks(place) {
  for (const [words, on] of [["Tout cocher", true], ["Tout décocher", false]]) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    button.className = "button plain small";
    button.addEventListener("click", () => {
      for (const tick of form.querySelectorAll(".ticklist [type=checkbox]")) tick.checked = on;
    });
    place.append(button, " ");
  }
}

if (form) {
  let changed = false, timer = 0;
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.more) {
      event.preventDefault();
      changed = true;
      add(button.closest("[data-rows]"));
    } else if (button.classList.contains("drop-row")) {
      event.preventDefault();
      changed = true;
      take(button.closest("[data-rows]"), button.closest(".row"));
    }
  });
  form.addEventListener("input", (event) => {
    changed = true;
    const input = event.target;
    if (!input.dataset.complete) return;
    clearTimeout(timer);
    timer = setTimeout(() => complete(input), 150);
  });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  const place = form.querySelector("[data-ticks]");
  if (place) ticks(place);
}
