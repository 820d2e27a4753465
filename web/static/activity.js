// The report: a button that prints it. Without script the browser's own command does the same.
"use strict";
const print = document.getElementById("imprimer");
print.hidden = false;
print.addEventListener("click", () => window.print());
