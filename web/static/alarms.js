// What a person says of one alarm: acknowledged with a note, put aside for a while, or taken out of service with a reason.
"use strict";
(() => {
  const LEAST_REASON = 3; // letters, as core wants
  const box = document.getElementById("alarm-act");
  if (!box) return;
  const { give, say } = window.siaga;
  const said = document.getElementById("act-said");
  const { reason, minutes } = box.querySelector("form").elements;
  let of = null;

  // On the document: the stream puts new buttons in place of old ones.
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-alarm-act]");
    if (!button || button.disabled) return;
    of = [["alarm", button.dataset.alarm], ["about", button.dataset.about]];
    box.querySelector("h2").textContent = button.dataset.text;
    box.querySelector("[data-act='/alarm/acknowledge']").hidden = !("new" in button.dataset);
    reason.value = "";
    say("", "", said);
    box.showPopover();
    reason.focus();
  });

  box.querySelector("form").addEventListener("submit", (e) => e.preventDefault());
  box.addEventListener("click", async (e) => {
    const button = e.target.closest("[data-do]");
    if (!button || !of) return;
    const path = button.closest("[data-act]").dataset.act;
    const acknowledges = path === "/alarm/acknowledge";
    if (!acknowledges && reason.value.trim().length < LEAST_REASON) {
      say(said.dataset.reason, "warn", said);
      reason.focus();
      return;
    }
    const fields = [...of, [acknowledges ? "note" : "reason", reason.value]];
    if (path === "/alarm/shelve") fields.push(["minutes", minutes.value]);
    const told = await give(path, fields, said);
    if (!told?.ok) return;
    box.hidePopover();
    say(told.text, told.tone);
  });
})();
