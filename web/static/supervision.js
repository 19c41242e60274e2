// What a person says of orders, stations and tests: all clear, a lockout with its reason, a test. Asked once more first.
"use strict";
(() => {
  const LEAST_REASON = 3; // letters, as core wants
  const { give, say, newKey } = window.siaga;
  const at = (id) => document.getElementById(id);
  let of = null;

  const ask = (box, title, fields, focus) => {
    of = fields;
    box.querySelector("h2").textContent = title;
    box.querySelector("form")?.reset();
    say("", "", box.querySelector("[role=status]"));
    box.showPopover();
    focus?.focus();
  };
  const done = async (box, path, fields) => {
    const told = await give(path, fields, box.querySelector("[role=status]"));
    if (!told?.ok) return;
    box.hidePopover();
    say(told.text, told.tone);
  };

  // On the document: the stream puts new buttons in place of old ones.
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-tell], [data-card], [data-lock], [data-unlock], [data-test]");
    if (!button || button.disabled) return;
    const { alert, lock, unlock, test, name, word } = button.dataset;
    if ("tell" in button.dataset) ask(at("tell"), button.dataset.of, [["alert", alert], ["key", newKey()]]);
    else if ("card" in button.dataset) ask(at("card"), button.dataset.of, [["alert", alert], ...(button.dataset.station ? [["stations", button.dataset.station]] : [])]);
    else if (lock) ask(at("lock"), at("lock-title").dataset.text.replace("{name}", name), [["station", lock]], at("lock").querySelector("textarea"));
    else if (unlock) give("/siren/unlock", [["station", unlock]]);
    else {
      ask(at("test-ask"), word, [["test", test], ["key", newKey()]]);
      at("test-ask").querySelector(".is").textContent = button.dataset.is;
    }
  });

  for (const form of document.querySelectorAll(".ask form")) form.addEventListener("submit", (e) => e.preventDefault());

  at("tell")?.addEventListener("click", (e) => {
    const button = e.target.closest("[data-about]");
    if (button && of) done(at("tell"), "/alert/tell", [...of, ["about", button.dataset.about], ["text", at("tell").querySelector("textarea").value]]);
  });
  at("card")?.addEventListener("click", (e) => {
    const button = e.target.closest("[data-outcome]");
    if (button && of) done(at("card"), "/alert/card", [...of, ["outcome", button.dataset.outcome], ["text", at("card").querySelector("textarea").value]]);
  });
  at("lock")?.addEventListener("click", (e) => {
    if (!e.target.closest("[data-do]") || !of) return;
    const { reason, hours } = at("lock").querySelector("form").elements;
    if (reason.value.trim().length < LEAST_REASON) {
      say(at("lock-said").dataset.reason, "warn", at("lock-said"));
      reason.focus();
      return;
    }
    done(at("lock"), "/siren/lock", [...of, ["hours", hours.value], ["reason", reason.value]]);
  });
  at("test-ask")?.addEventListener("click", (e) => {
    if (e.target.closest("[data-do]") && of) done(at("test-ask"), "/test/run", of);
  });
})();
