"use strict";
// Goes on with an import by itself. Without it, or once somebody has stopped it, a button does.

const PAUSE = 600; // milliseconds: who wants to stop can

const form = document.getElementById("suite");
const waiting = setTimeout(() => form.requestSubmit(), PAUSE);
document.querySelector(".advance a").addEventListener("click", () => clearTimeout(waiting));
