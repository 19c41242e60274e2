// Buttons that are held until their order goes out, and the card on paper. The order itself is given by siaga.js.
"use strict";
(() => {
  const HOLD_MS = 1000; // as the siren's
  let held = null;

  const tell = (text, tone) => {
    const said = document.getElementById("said");
    if (!said) return;
    said.textContent = text || "";
    said.className = tone || "";
  };
  const release = (early) => {
    if (!held) return;
    clearTimeout(held.timer);
    held.button.classList.remove("holding");
    if (early) tell(held.button.dataset.early, "warn");
    held = null;
  };
  const hold = (button) => {
    if (held || button.disabled) return;
    button.classList.add("holding");
    tell(button.dataset.holding, "");
    const path = button.dataset.hold;
    const timer = setTimeout(() => {
      release(false);
      document.dispatchEvent(new CustomEvent("siaga:give", { detail: { path, fields: [] } }));
    }, HOLD_MS);
    held = { button, timer };
  };

  // On the document: the stream puts new buttons in place of old ones.
  document.addEventListener("pointerdown", (e) => {
    const button = e.target.closest("[data-hold]");
    if (button && e.button === 0 && e.isPrimary) hold(button);
  });
  for (const name of ["pointerup", "pointercancel", "visibilitychange"]) {
    document.addEventListener(name, () => release(true));
  }
  window.addEventListener("blur", () => release(true));
  document.addEventListener("pointermove", (e) => {
    if (held && document.elementFromPoint(e.clientX, e.clientY)?.closest("[data-hold]") !== held.button) release(true);
  });
  document.addEventListener("keydown", (e) => {
    const button = e.target.closest?.("[data-hold]");
    if (!button || (e.key !== " " && e.key !== "Enter")) return;
    e.preventDefault();
    if (!e.repeat) hold(button);
  });
  document.addEventListener("keyup", (e) => {
    if (e.key === " " || e.key === "Enter") release(true);
  });
  document.addEventListener("contextmenu", (e) => {
    if (e.target.closest("[data-hold]")) e.preventDefault();
  });

  document.addEventListener("click", (e) => {
    if (e.target.closest("[data-print]")) window.print();
  });
})();
