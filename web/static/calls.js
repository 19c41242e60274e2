// The call log: one player for all recordings, so that only one is heard; and printing.
"use strict";
(() => {
  const player = document.getElementById("player");
  document.addEventListener("click", async (e) => {
    if (e.target.closest("[data-print]")) window.print();
    const button = e.target.closest("[data-play]");
    if (!button || !player) return;
    const audio = player.querySelector("audio");
    const said = document.getElementById("player-said");
    const anyway = document.getElementById("player-anyway");
    const url = button.dataset.play;
    player.hidden = false;
    if (button !== anyway) {
      said.textContent = ""; // what is wrong with a file stays written while it is heard
      const cells = button.closest("tr").cells;
      player.querySelector("b").textContent = `${cells[0].textContent} · ${cells[1].querySelector("b").textContent}`;
    }
    anyway.hidden = true;
    audio.onerror = async () => {
      // A player cannot say why; the box can.
      try {
        const answer = await fetch(url, { headers: { Range: "bytes=0-0" } });
        const told = answer.ok ? {} : await answer.json();
        said.textContent = told.text || said.dataset.failed;
        if (told.anyway) {
          anyway.dataset.play = told.anyway;
          anyway.hidden = false;
          anyway.focus();
        }
      } catch {
        said.textContent = said.dataset.failed;
      }
      said.className = "p2";
    };
    audio.src = url;
    try {
      await audio.play();
      audio.focus();
    } catch {
      // told by onerror
    }
  });
})();
