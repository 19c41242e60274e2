// The order form's own window: finding one of many stations, and in a line what was chosen there.
"use strict";
(() => {
  const SHOWN = 6; // names of chosen stations in the panel
  const form = document.getElementById("order-form");
  if (!form) return;
  const more = document.getElementById("order-more");
  const find = document.getElementById("find-station");
  const picked = document.getElementById("picked");
  const summary = document.querySelector("#order-details small");
  const checked = (name) => [...form.querySelectorAll(`[name=${name}]:checked`)];
  const nameOf = (box) => box.parentElement.textContent.trim();

  const label = () => {
    const chosen = checked("stations");
    const of = new Set(chosen.map((box) => box.value));
    // A zone of a station that is not chosen is not meant.
    for (const zones of more.querySelectorAll("[data-zones-of]")) {
      zones.hidden = !of.has(zones.dataset.zonesOf);
      if (zones.hidden) for (const box of zones.querySelectorAll(":checked")) box.checked = false;
    }
    const zones = more.querySelector(".zones");
    if (zones) zones.hidden = !zones.querySelector("[data-zones-of]:not([hidden])");
    const parts = ["groups", "contacts", "zones"].map((name) => [checked(name).length, more.dataset[name]]).filter(([n]) => n);
    const told = parts.map(([n, word]) => `${n} ${word}`);
    if (form.elements.priority.value !== "2") told.unshift(`${more.dataset.priority} ${form.elements.priority.value}`);
    summary.textContent = told.join(" · ");
    if (picked) picked.textContent = chosen.slice(0, SHOWN).map(nameOf).join(", ") + (chosen.length > SHOWN ? ` +${chosen.length - SHOWN}` : "");
  };
  form.addEventListener("change", label);
  find?.addEventListener("input", () => {
    const wanted = find.value.trim().toLocaleLowerCase();
    for (const chip of more.querySelectorAll(".chips.many .chip:not(.all)")) {
      chip.hidden = !chip.textContent.toLocaleLowerCase().includes(wanted) && !chip.firstElementChild.checked;
    }
  });
  label();
})();
