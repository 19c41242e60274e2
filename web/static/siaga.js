// The page's own hand, where htmx has none: holding the siren button, orders that are asked for again under one key,
// and noticing that the box is gone. Panels come by htmx's Server-Sent Events and are morphed in place.
"use strict";
(() => {
  const HOLD_MS = 1000; // long enough that no sleeve does it, short enough for an emergency
  const LOST_MS = 4000; // the box sends the time every second
  const AGAIN_MS = 3000; // between attempts to connect while htmx makes none
  const ANSWER_MS = 4000; // core answers in milliseconds; after this the same order is asked for again
  const READ_MS = 4000; // that an answer stays to be read before the page may be loaded anew
  const COUNT_MS = 250; // after the last stroke until a text is counted
  const CALL_MS = 12000; // a modem may take ten seconds for what concerns a call
  const TRIES = 3; // of one order, under one key: core carries it out once

  const root = document.documentElement;
  const at = (id) => document.getElementById(id);
  const said = at("said");
  const form = at("order-form");

  let saidAt = -READ_MS;
  let fades = 0;
  const say = (text, tone, place = said) => {
    if (!place) return;
    saidAt = performance.now();
    if (place.parentElement === document.body) {
      clearTimeout(fades); // it lies over the page: what went well gets out of the way, the rest when it is pressed
      if (text && tone === "good") fades = setTimeout(() => say("", "", place), 2 * READ_MS);
    }
    place.textContent = text;
    place.className = tone || "";
  };

  if (said?.parentElement === document.body) said.addEventListener("click", () => say("", "", said));

  // The stream

  const stream = at("stream");
  const lost = at("lost");
  let heard = performance.now();
  let connection = null;
  let asked = 0;
  let outdated = false;

  const showLost = (since) => {
    if (lost.hidden) at("lost-said").textContent = at("lost-said").dataset.text;
    lost.hidden = false;
    root.classList.add("gone");
    lost.querySelector("b").textContent = Math.round(since / 1000);
  };
  const showBack = () => {
    if (lost.hidden) return;
    lost.hidden = true;
    at("lost-said").textContent = "";
    root.classList.remove("gone");
  };
  const loadAnew = () => {
    if (outdated && performance.now() - saidAt > READ_MS && !holding && !busy.size && !document.querySelector(".login input:focus, #write:popover-open, .call-note:focus")) location.reload();
  };

  stream.addEventListener("htmx:sse:after:connection", (e) => {
    connection = e.detail.connection;
  });
  stream.addEventListener("htmx:sse:after:message", () => {
    heard = performance.now();
    showBack();
    const fresh = Number(at("alarms")?.dataset.new || 0);
    document.title = document.title.replace(/^(▲\d+ )?/, fresh ? `▲${fresh} ` : "");
  });
  for (const name of ["outdated", "login-ended"]) {
    stream.addEventListener(name, () => {
      outdated = true;
      loadAnew();
    });
  }
  setInterval(() => {
    loadAnew();
    const since = performance.now() - heard;
    if (since < LOST_MS || document.hidden) return;
    showLost(since);
    // A stream that is open and silent is dead on the way; one that htmx gave up is begun anew.
    if (performance.now() - asked < AGAIN_MS) return;
    asked = performance.now();
    connection?.reader?.cancel().catch(() => {});
    htmx.trigger(stream, "reconnect");
  }, 500);

  // Orders

  const busy = new Set();
  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

  const ask = async (path, fields, within = ANSWER_MS) => {
    const answer = await fetch(path, { method: "POST", body: new URLSearchParams(fields), signal: AbortSignal.timeout(within) });
    return answer.json();
  };

  // An order without an answer is asked for again under the same key: core carries it out once and says so.
  // `place` is where its outcome is told, and holds the words for it.
  const order = async (path, fields, place, tries, within) => {
    let reached = false;
    for (let n = 1; n <= tries; n += 1) {
      try {
        const told = await ask(path, fields, within);
        reached = true;
        if (told.code !== "unknown_outcome") return told;
      } catch (e) {
        reached ||= e.name === "TimeoutError";
      }
      if (n < tries) {
        say(place.dataset.checking, "warn", place);
        await new Promise((r) => setTimeout(r, 500));
      }
    }
    return { ok: false, tone: "bad", code: reached ? "not_known" : "not_reached", text: reached ? place.dataset.notKnown : place.dataset.notReached };
  };

  // What has no key is asked for once: a telephone key pressed twice is another number.
  const give = async (path, fields, place = said, once = false) => {
    const mine = `${path} ${new URLSearchParams(fields)}`;
    if (busy.has(mine) || !place) return null;
    busy.add(mine);
    say(place.dataset.sending, "", place);
    try {
      const told = await (once ? order(path, fields, place, 1, CALL_MS) : order(path, fields, place, TRIES, ANSWER_MS));
      say(told.text, told.tone, place);
      return told;
    } finally {
      busy.delete(mine);
    }
  };

  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-post]:not([data-fields])"); // those with fields are the telephone's
    if (!button || button.disabled) return;
    const { alarm, about, line, alerts, agency } = button.dataset;
    const fields = Object.entries({ alarm, about, line, alerts, agency }).filter(([, value]) => value !== undefined);
    give(button.dataset.post, fields);
  });

  // An order that another script has made, such as a button that was held long enough.
  document.addEventListener("siaga:give", (e) => give(e.detail.path, e.detail.fields));

  // Enter answers the call that rings longest, unless the person is at another control.
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.repeat || e.target.closest("button, a, select, textarea, input:not([type=checkbox]), [popover]")) return;
    const answer = document.querySelector("[data-enter]:not(:disabled)");
    if (answer) {
      e.preventDefault();
      answer.click();
    }
  });

  // Holding the siren button

  const siren = at("siren");
  let holding = null;

  if (siren) {
    const all = at("all");
    const chips = [...form.querySelectorAll("[name=stations]")];
    const { kind, text: place } = form.elements;
    const sounds = () => "sounds" in kind.selectedOptions[0].dataset;
    const chosen = () => chips.filter((c) => c.checked);
    const others = () => form.querySelectorAll("[name=groups]:checked, [name=contacts]:checked").length;
    const nobody = () => !chosen().length && !others();

    const label = () => {
      all.checked = chips.length > 0 && chosen().length === chips.length;
      const incident = form.elements.incident.value === "0" ? [] : [form.elements.incident.selectedOptions[0]];
      const words = [kind.selectedOptions[0], form.elements.pattern.selectedOptions[0], form.elements.seconds.selectedOptions[0]];
      words.splice(1, 0, ...incident);
      const what = `${chosen().length} ${form.dataset.chosen}${others() ? ` +${others()}` : ""}`;
      siren.querySelector(".what").textContent = sounds() ? form.dataset.hold : form.dataset.holdSilent;
      const told = [what, ...words.map((o) => o.textContent)].join(" · ");
      siren.querySelector(".with").textContent = nobody() ? form.dataset.nothingChosen : told;
      siren.classList.toggle("silent", !sounds());
      siren.classList.toggle("test", "test" in kind.selectedOptions[0].dataset);
    };

    const release = (early) => {
      if (!holding) return;
      clearTimeout(holding.timer);
      holding = null;
      siren.classList.remove("holding");
      if (early) say(form.dataset.early, "warn");
    };
    const hold = () => {
      if (holding) return;
      if (nobody()) {
        say(form.dataset.choose, "warn");
        return;
      }
      if (new TextEncoder().encode(place.value).length > place.maxLength) {
        say(form.dataset.placeLong, "warn"); // the field counts letters, and an order holds octets
        return;
      }
      say(form.dataset.holding, "");
      siren.classList.add("holding");
      holding = { timer: setTimeout(sound, HOLD_MS) };
    };
    const sound = () => {
      release(false);
      const fields = [...new FormData(form), ["key", newKey()]];
      give("/alert", fields);
    };

    siren.addEventListener("pointerdown", (e) => {
      if (e.button !== 0 || !e.isPrimary) return;
      siren.setPointerCapture(e.pointerId);
      hold();
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
      siren.addEventListener(name, () => release(true));
    }
    siren.addEventListener("pointermove", (e) => {
      const box = siren.getBoundingClientRect();
      if (e.clientX < box.left || e.clientX > box.right || e.clientY < box.top || e.clientY > box.bottom) release(true);
    });
    siren.addEventListener("keydown", (e) => {
      if (e.key !== " " && e.key !== "Enter") return;
      e.preventDefault();
      if (!e.repeat) hold();
    });
    siren.addEventListener("keyup", (e) => {
      if (e.key === " " || e.key === "Enter") release(true);
    });
    siren.addEventListener("contextmenu", (e) => e.preventDefault());
    window.addEventListener("blur", () => release(true));
    document.addEventListener("visibilitychange", () => release(true));

    all.addEventListener("change", () => {
      for (const chip of chips) chip.checked = all.checked;
      label();
    });
    form.addEventListener("change", label);
    form.addEventListener("submit", (e) => e.preventDefault());
    label();
  }

  // Writing a text

  const write = at("write");

  if (write) {
    const { number, text } = at("write-form").elements;
    const count = at("write-count");
    const told = at("write-said");
    const send = write.querySelector("[data-send]");
    let key = newKey(); // stays until the outcome is known: what is sent again unchanged does not become two
    let counting = 0;
    let taken = false;

    const tally = async () => {
      const mine = (counting += 1);
      await new Promise((r) => setTimeout(r, COUNT_MS));
      if (mine !== counting) return;
      try {
        const counted = await ask("/message/count", [["text", text.value]]);
        if (mine === counting) say(counted.text, counted.tone, count);
      } catch {
        say("", "", count);
      }
    };
    const changed = () => {
      key = newKey();
      say("", "", told);
      tally();
    };
    at("write-form").addEventListener("input", changed);
    at("write-form").addEventListener("submit", (e) => {
      e.preventDefault(); // Enter in the number goes on to the text; only the button sends
      text.focus();
    });
    send.addEventListener("click", async () => {
      if (!at("write-form").reportValidity()) return;
      send.disabled = true;
      try {
        const fields = [["number", number.value], ["text", text.value], ["key", key]];
        const answer = await give("/message", fields, told);
        if (answer?.ok) {
          number.value = text.value = "";
          key = newKey();
          taken = true;
          say("", "", count);
        }
      } finally {
        send.disabled = false;
      }
    });
    document.addEventListener("click", (e) => {
      const button = e.target.closest("[data-write]");
      if (!button) return;
      number.value = button.dataset.number;
      text.value = button.dataset.text;
      changed();
      write.showPopover();
      text.focus();
    });
    write.addEventListener("toggle", (e) => {
      if (e.newState === "open" && !number.value) number.focus();
      if (e.newState === "closed" && taken && at("all-messages")) location.reload();
    });
  }

  window.siaga = Object.freeze({ give, say, newKey }); // for phone.js

  // Light or dark

  at("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    document.cookie = `siaga_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
  });
})();
