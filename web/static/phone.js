// The telephone's own hand: counters, keys, keypad, directory, notes, and where the person's sound is.
// A call is one press. Letters act only while the focus is on the telephone and on nothing that is typed into.
//
// Sound in this browser is talk.js's matter; without it, or over plain HTTP, the telephone works with the sound elsewhere.
"use strict";
(() => {
  const COUNT_MS = 250; // counters show seconds
  const NOTE_MS = 1500; // after the last stroke until a note is saved
  const QUIET_DB = -60; // what the meters begin at

  const VERSION = new URL(document.currentScript.src).search; // the same release's file
  const at = (id) => document.getElementById(id);
  const { give, say, newKey } = window.siaga;

  // Counters: the box's seconds, between two words from it this page's own

  const box = { now: 0, heard: 0, told: "" };
  const count = () => {
    const moment = at("moment");
    if (moment.dataset.now !== box.told) {
      Object.assign(box, { told: moment.dataset.now, now: Number(moment.dataset.now), heard: performance.now() });
    }
    const now = box.now + ((performance.now() - box.heard) / 1000) * Number(moment.dataset.speed);
    for (const run of document.querySelectorAll(".run")) {
      const s = Math.max(0, Math.floor(now - Number(run.dataset.from)));
      const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
      const text = (h ? `${h}:${String(m).padStart(2, "0")}` : `${m}`) + `:${String(s % 60).padStart(2, "0")}`;
      if (run.textContent !== text) run.textContent = text;
      run.parentElement.toggleAttribute("data-own-late", "lateAfter" in run.dataset && s >= Number(run.dataset.lateAfter));
    }
  };
  setInterval(count, COUNT_MS);
  count();

  const phone = at("phone");
  if (!phone) return;
  const stream = at("stream");
  const said = at("phone-said");
  const who = document.body.dataset.who;

  // Whose call is whose: a card is drawn for all, its person is marked here

  const own = () => {
    for (const card of phone.querySelectorAll(".call")) card.toggleAttribute("data-own", Boolean(who) && card.dataset.person === who);
  };
  // Own, or nobody's: a key, a mute or a change of place never touches another person's call.
  const mine = (kind) => phone.querySelector(`.call.${kind}[data-own]`) || phone.querySelector(`.call.${kind}[data-person=""]`);
  const talking = () => mine("talking");
  const current = () => talking() || mine("going") || mine("held") || phone.querySelector(".ring");

  // Where the sound is: at the box's headset, at the line's own handset, or in this browser by talk.js

  const LEVELS = { own: "microphone", line: "heard" };
  const BAD = ["lost", "login", "elsewhere", "full", "failed", "denied", "none", "busy", "unfit"];
  const sound = { talk: null, wish: null }; // wish: {call, on} that was pressed and that core has not shown yet
  const place = at("phone-place");
  const tell = (what) => {
    const box = at("talk");
    box.textContent = box.dataset[what] || "";
    box.hidden = !box.textContent;
    box.className = BAD.includes(what) ? "p1" : "quiet";
  };
  const remember = (value) => {
    try {
      if (value === undefined) return localStorage.getItem("siaga_place");
      localStorage.setItem("siaga_place", value);
    } catch {
      // a browser that keeps nothing forgets this too
    }
    return null;
  };
  const level = (name, value) => {
    const card = talking();
    for (const meter of phone.querySelectorAll(`.level-${name}`)) meter.value = card?.contains(meter) ? (value ?? QUIET_DB) : QUIET_DB;
  };
  // Elsewhere than in this browser the box tells how loud it is.
  const showLevels = () => {
    if (sound.talk?.state === "open") return;
    const told = JSON.parse(at("levels")?.dataset.levels || "{}")[talking()?.dataset.call];
    phone.classList.toggle("hears", Boolean(told));
    level("line", told?.[0]);
    level("own", told?.[1]);
  };
  // A call that is talked already is joined to the place that was chosen.
  const move = () => {
    const card = talking();
    if (card) give("/call/talk", [["line", card.dataset.line], ["talk", place.value]], said, true);
  };
  const listen = async () => {
    if (!sound.talk || sound.talk.state !== "off") return;
    try {
      await sound.talk.start(); // says itself by its states why it did not
    } catch {
      tell("failed");
    }
  };
  place.addEventListener("change", async () => {
    remember(place.value);
    if (place.value === "browser") await listen();
    else await sound.talk?.stop();
    move();
  });
  const withTalk = async () => {
    let Talk;
    try {
      ({ Talk } = await import(`/static/talk.js${VERSION}`));
    } catch {
      return; // a box without sound in browsers
    }
    if (!Talk.possible) {
      place.title = at("talk").dataset.unfit;
      return;
    }
    sound.talk = new Talk();
    sound.talk.addEventListener("state", ({ detail }) => {
      phone.classList.toggle("hears", detail.state === "open");
      tell(detail.state === "open" ? (detail.joined ? "joined" : "open") : detail.state);
    });
    sound.talk.addEventListener("device", ({ detail }) => {
      if (detail.state !== "there") tell(detail.state);
    });
    sound.talk.addEventListener("level", ({ detail }) => {
      for (const [name, key] of Object.entries(LEVELS)) level(name, detail[key]);
    });
    place.querySelector("[value=browser]").disabled = false;
    const wished = remember();
    if (wished === "browser" || (wished === null && place.value !== "headset")) place.value = "browser";
    showMute();
  };
  if (remember() === "") place.value = "";
  withTalk();

  // Orders

  const TALKS = ["/call/answer", "/call/next", "/call/dial"];
  const press = async (path, fields, to = said) => {
    const all = Object.entries(fields);
    if (TALKS.includes(path)) {
      if (place.value === "browser") listen(); // the press is what a browser wants before it gives a microphone
      all.push(["talk", place.value]);
    }
    return give(path, all, to, !("key" in fields));
  };
  document.addEventListener("click", async (e) => {
    const button = e.target.closest("[data-post][data-fields]");
    if (!button || button.disabled) return;
    const fields = JSON.parse(button.dataset.fields);
    const { post, then } = button.dataset;
    const to = at(button.closest("[data-says]")?.dataset.says) || said;
    const told = await press(post, fields, to);
    if (told?.ok && then) press(then, { line: button.closest("[data-line]").dataset.line, call: fields.call }, to);
  });

  // Mute is the person's own; the page shows it large, for a mute that is forgotten is a caller lost

  const showMute = () => {
    const card = talking();
    const muted = Boolean(card) && "muted" in card.dataset;
    if (sound.wish && (sound.wish.call !== card?.dataset.call || (sound.wish.done && sound.wish.on === muted))) sound.wish = null;
    // Of no call or of the next one: nobody is met by a dead microphone.
    if (sound.talk) sound.talk.muted = sound.wish ? sound.wish.on : muted;
    at("muted").hidden = !muted;
    for (const button of phone.querySelectorAll("[data-mute]")) button.toggleAttribute("data-own-on", muted);
  };
  // Only what core has done is shown, so that it outlives the page; and a second press is never lost.
  const mute = async () => {
    const card = talking();
    if (!card) return;
    const { call, line } = card.dataset;
    const on = !(sound.wish ? sound.wish.on : "muted" in card.dataset);
    const wish = (sound.wish = { call, on, done: false });
    if (sound.talk) sound.talk.muted = on; // here at once, whatever becomes of the order
    const told = await press("/call/mute", { line, on: on ? "1" : "0" });
    if (told?.ok) wish.done = true;
    else if (told && sound.wish === wish) sound.wish = null;
    showMute();
  };

  // Keypad: each key goes on its way behind the one before

  const keypad = at("keypad");
  const pressed = at("pressed");
  let line = "";
  let going = Promise.resolve();
  const dtmf = (key) => {
    const to = line;
    pressed.textContent += key;
    going = going.then(() => give("/call/keys", [["line", to], ["keys", key], ["n", newKey()]], at("keypad-said"), true));
    const button = keypad.querySelector(`[data-press="${CSS.escape(key)}"]`);
    button?.animate?.([{ opacity: 0.3 }, { opacity: 1 }], 150);
  };

  // The directory, to call or to transfer to

  const book = at("book");
  const form = at("book-form");
  let transfers = false;
  let key = "";
  const shown = () => [...at("book-list").querySelectorAll(".agency")].filter((a) => !a.hidden);
  const find = () => {
    const sought = form.elements.to.value.trim().toLocaleLowerCase();
    for (const a of at("book-list").querySelectorAll(".agency")) a.hidden = !a.textContent.toLocaleLowerCase().includes(sought);
    at("book-none").hidden = shown().length > 0 || !sought;
  };
  const open = (what, card = talking()) => {
    if (what !== "dial" && !card) return;
    line = card?.dataset.line || "";
    if (what === "keypad") {
      pressed.textContent = "";
      keypad.showPopover();
      keypad.focus();
      return;
    }
    transfers = what === "transfer";
    key = newKey();
    at("book-title").textContent = book.dataset[what];
    form.elements.to.value = "";
    say("", "", at("book-said"));
    find();
    book.showPopover();
    form.elements.to.focus();
  };
  const call = async (to, callBack = "", where = at("book-said")) => {
    const fields = transfers && where !== said ? { line, to } : { to, ...(callBack && { call_back: callBack }), key: where === said ? newKey() : key };
    const told = await press("line" in fields ? "/call/transfer" : "/call/dial", fields, where);
    if (!told?.ok || where === said) return;
    say(told.text, told.tone, said);
    book.hidePopover();
    phone.focus();
  };
  if (book) {
    form.addEventListener("input", () => {
      key = newKey();
      find();
    });
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      const [only] = shown();
      const typed = form.elements.to.value.trim();
      if (/^[+*#\d][\d\s*#.-]*$/.test(typed)) call(typed.replace(/[\s.-]/g, ""));
      else if (typed && only) call(only.dataset.to);
    });
    book.addEventListener("click", (e) => {
      const agency = e.target.closest("[data-to]");
      if (agency) call(agency.dataset.to);
    });
    book.addEventListener("keydown", (e) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
      if (!step) return;
      e.preventDefault();
      const rows = [form.elements.to, ...shown()];
      rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(document.activeElement) + step))]?.focus();
    });
    keypad.addEventListener("click", (e) => {
      const button = e.target.closest("[data-press]");
      if (button) dtmf(button.dataset.press);
    });
    keypad.addEventListener("keydown", (e) => {
      if (!/^[0-9*#]$/.test(e.key) || e.ctrlKey || e.altKey || e.metaKey) return;
      e.preventDefault();
      e.stopPropagation();
      dtmf(e.key);
    });
    for (const popover of [book, keypad]) {
      popover.addEventListener("toggle", (e) => {
        if (e.newState === "closed" && (!document.activeElement || document.activeElement === document.body)) phone.focus();
      });
    }
  }
  document.addEventListener("click", (e) => {
    const { dataset, disabled } = e.target.closest("[data-open], [data-dial]:not(#book), [data-done], [data-mute]") || { dataset: {} };
    if (disabled) return;
    if (dataset.open) open(dataset.open, e.target.closest(".call") ?? talking());
    else if (dataset.dial) call(dataset.dial, dataset.callBack, said);
    else if ("mute" in dataset) mute();
    else if ("done" in dataset) e.target.closest(".call").toggleAttribute("data-own-done", true);
  });

  // Notes save themselves: after a pause, with Enter, and when the focus goes

  const notes = new Map(); // call -> timer of what is not saved yet
  const save = async (field) => {
    const id = field.dataset.note;
    if (!notes.has(id)) return;
    clearTimeout(notes.get(id));
    notes.delete(id);
    const text = field.value;
    const told = await give("/call/note", [["call", id], ["text", text]], said, true);
    if (told?.ok) {
      say(phone.dataset.saved, "good", said);
      field.removeAttribute("data-own-unsaved");
    } else {
      notes.set(id, setTimeout(() => save(field), 2 * NOTE_MS));
      say(phone.dataset.unsaved.replace("{text}", told?.text ?? ""), "bad", said);
    }
  };
  phone.addEventListener("input", (e) => {
    const field = e.target.closest("[data-note]");
    if (!field) return;
    clearTimeout(notes.get(field.dataset.note));
    field.setAttribute("data-own-unsaved", "");
    notes.set(field.dataset.note, setTimeout(() => save(field), NOTE_MS));
  });
  phone.addEventListener("focusout", (e) => {
    const field = e.target.closest("[data-note]");
    if (field) save(field);
  });

  // Keys

  const typing = (e) => e.target.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (e) => {
    if (e.key === "F2") {
      e.preventDefault();
      phone.focus();
      return;
    }
    if (e.ctrlKey || e.altKey || e.metaKey || e.repeat || !phone.contains(e.target)) return;
    const field = e.target.closest("[data-note]");
    if (field && (e.key === "Enter" || e.key === "Escape")) {
      e.preventDefault();
      save(field);
      phone.focus();
      return;
    }
    if (typing(e)) return;
    if (e.key === "Enter" || e.key === " ") {
      if (e.target !== phone) return; // a button's own
      e.preventDefault();
      e.stopImmediatePropagation();
      phone.querySelector("[data-enter]:not(:disabled)")?.click();
      return;
    }
    const wantedKey = e.key === "Delete" ? "Del" : e.key.toUpperCase();
    if (wantedKey === "N") {
      e.preventDefault();
      const note = current()?.querySelector(".call-note") || phone.querySelector(".call.after[data-own] .call-note");
      note?.focus();
      note?.setSelectionRange(note.value.length, note.value.length);
      return;
    }
    if (wantedKey.length !== 1 && wantedKey !== "Del") return;
    const selector = `[data-key="${CSS.escape(wantedKey)}"]:not(:disabled)`;
    const button = current()?.querySelector(selector) || phone.querySelector(`h2 ${selector}`);
    if (button) {
      e.preventDefault();
      button.click();
    }
  }, true);

  const drawn = () => {
    own();
    showMute();
    showLevels();
    count();
    // The focus must not fall to the page's beginning because a call's button went with its call.
    if (lastIn && (document.activeElement === document.body || !document.activeElement)) phone.focus();
  };
  let lastIn = false;
  document.addEventListener("focusin", (e) => {
    lastIn = phone.contains(e.target);
  });
  document.addEventListener("pointerdown", (e) => {
    lastIn = phone.contains(e.target);
  });
  stream.addEventListener("htmx:sse:after:message", drawn);
  drawn();
})();
