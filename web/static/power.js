// Commands on the plant: asked for once more, with the device's name, before they go out. The order is given by siaga.js.
"use strict";
(() => {
  const box = document.getElementById("plant-ask");
  if (!box) return;
  const { give, say, newKey } = window.siaga;
  const said = document.getElementById("plant-said");
  const confirm = box.querySelector("[data-confirm]");
  const roles = box.querySelector(".roles");
  const role = document.body.dataset.role; // empty while nobody knows it: core says no by itself
  let asked = null;

  // On the document: the stream puts new buttons in place of old ones.
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-plant]");
    if (!button || button.disabled) return;
    const { plant: device, command, name, word } = button.dataset;
    asked = [["device", device], ["command", command], ["name", name], ["confirm", "1"], ["key", newKey()]]; // one key a question: twice pressed is once done
    box.querySelector("h2").textContent = `${word} · ${name}`;
    box.querySelector(".asks").textContent = button.dataset.asks;
    const may = !role || button.dataset.allowed.split(" ").includes(role);
    roles.textContent = `${roles.dataset.text} ${button.dataset.roles}`;
    confirm.textContent = `${word} · ${name}`;
    confirm.disabled = !may;
    say(may ? "" : roles.dataset.other, may ? "" : "warn", said);
    box.showPopover();
    (may ? confirm : box.querySelector("[popovertarget]")).focus();
  });

  confirm.addEventListener("click", async () => {
    if (!asked) return;
    confirm.disabled = true;
    const told = await give("/power/order", asked, said);
    // Done or refused, the question is over; only what nobody knows may be asked again, under its key.
    confirm.disabled = !told || told.ok || !["not_known", "not_reached"].includes(told.code);
    if (!told?.ok) return;
    // Sent is not done: the person has to see the list behind this box, where the proof will come.
    box.hidePopover();
    say(told.text, told.tone);
    document.querySelector("#power-orders .plant-orders")?.scrollIntoView({ block: "nearest" });
  });
})();
