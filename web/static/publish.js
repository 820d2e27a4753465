/* Doubts decided by keyboard: arrows go from one to the other, r replaces, g keeps. Without it, radios do the same. */
"use strict";
(() => {
  const rows = [...document.querySelectorAll(".doubt")];
  if (!rows.length) return;
  const told = document.querySelector("#reste");
  document.querySelector(".keys").hidden = false;

  const radio = (row, value) => row.querySelector(`input[type=radio][value=${value}]`);
  const decided = (row) => row.querySelector("input[type=radio]:checked") !== null;
  const go = (row) => row && (row.querySelector("input[type=radio]:checked") || radio(row, "remplacer")).focus();

  const count = () => {
    const left = rows.filter((row) => !decided(row)).length;
    rows.forEach((row) => row.classList.toggle("open", !decided(row)));
    const said = left === 0 ? "Tout est décidé." : left === 1 ? "Encore 1\u00a0passage à décider." : `Encore ${left}\u00a0passages à décider.`;
    if (told.textContent !== said) told.textContent = said;
  };

  const next = (row) => {
    const place = rows.indexOf(row);
    const open = [...rows.slice(place + 1), ...rows.slice(0, place)].find((one) => !decided(one));
    go(open || rows[place + 1] || row);
  };

  for (const row of rows) {
    row.addEventListener("change", count);
    row.addEventListener("keydown", (event) => {
      if (event.target.type !== "radio" || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const choice = { r: "remplacer", g: "garder" }[event.key.toLowerCase()];
      if (step) go(rows[rows.indexOf(row) + step]);
      else if (choice) {
        radio(row, choice).checked = true;
        count();
        next(row);
      } else return;
      event.preventDefault();
    });
  }
})();
