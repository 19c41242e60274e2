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
    const url = button.dataset.play;
    said.textContent = "";
    player.hidden = false;
    const cells = button.closest("tr").cells;
    player.querySelector("b").textContent = `${cells[0].textContent} · ${cells[1].querySelector("b").textContent}`;
    audio.onerror = async () => {
      // A player cannot say why; the box can.
      try {
        const answer = await fetch(url, { headers: { Range: "bytes=0-0" } });
        said.textContent = answer.ok ? said.dataset.failed : (await answer.json()).text;
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
