"use strict";
// Keeps the pages of harvests up to date while something goes on, and says that a centre is being asked.
// Without it they reload by themselves, and a person presses « Continuer ».

const LOOK = 2500, LOOK_AGAIN = 15000; // milliseconds between looks, and after one that failed

async function follow() {
  const live = document.querySelector("#avancement[data-live]");
  if (!live) return;
  let wait = LOOK;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const found = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#avancement");
    if (found) renew(live, found);
    else wait = LOOK_AGAIN;
  } catch { wait = LOOK_AGAIN; }
  setTimeout(follow, wait);
}

// Who stands on a button or has opened a remark keeps it: only what is written before is renewed then.
function renew(live, found) {
  const held = live.contains(document.activeElement) || live.querySelector("details[open]");
  const now = live.querySelector(".harvest-now"), next = found.querySelector(".harvest-now");
  if (!found.hasAttribute("data-live")) say(found);
  if (!held) live.replaceWith(found);
  else if (now && next && found.hasAttribute("data-live")) now.replaceWith(next);
  else if (!found.hasAttribute("data-live")) {
    if (now && next) now.replaceWith(next);
    live.removeAttribute("data-live");
  }
}

function say(found) {
  const told = document.querySelector("#annonce"), stands = found.querySelector(".state");
  if (told && stands) told.textContent = `La moisson n’est plus en cours\u00a0: ${stands.textContent}`;
}

for (const form of document.querySelectorAll("form[data-waits]"))
  form.addEventListener("submit", () => {
    const told = document.createElement("p");
    told.className = "notice";
    told.setAttribute("role", "status");
    form.append(told);
    told.textContent = form.dataset.waits;
  }, { once: true });

const rest = document.querySelector("form[data-goes-on]");
if (rest) setTimeout(() => rest.requestSubmit(), 800);

setTimeout(follow, LOOK);
