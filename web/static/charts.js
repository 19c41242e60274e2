// Charts of what was: each <div class="chart" data-points="genset/g1/fuel_level,..."> draws the box's minute values.
// `data-names="G1,..."` says what the page calls them, `data-span="month"` begins with 30 days.
// The lines end where the box knew no more: an old chart never looks new.
"use strict";
(() => {
  const SPANS = { day: 86400, month: 30 * 86400 }; // s
  const AGAIN_MS = 60000; // a minute brings a new value, no less does
  const WITHIN_MS = 10000; // a card that reads slower is said to be unreadable
  const HEIGHT = 180; // px
  const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]]; // greyscale: lines differ by their form
  const BAND = 0.14; // how dark the stretch from lowest to highest is

  const language = document.documentElement.lang || "id";
  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#555";
  const shown = (value, unit) =>
    value === null || value === undefined
      ? "---"
      : `${value.toLocaleString(language, { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 })} ${unit}`.trim();
  const known = (values) => values.filter((value) => value !== null);
  const lastOf = (values) => values.findLast((value) => value !== null);

  class Chart {
    constructor(place) {
      this.place = place;
      this.points = place.dataset.points.split(",").map((name) => name.trim()).filter(Boolean);
      const names = (place.dataset.names || "").split(",").map((name) => name.trim());
      this.names = Object.fromEntries(this.points.map((name, index) => [name, names[index]]));
      this.span = place.dataset.span in SPANS ? place.dataset.span : "day";
      this.head = place.appendChild(element("div", "chart-head"));
      this.legend = this.head.appendChild(element("ul", "chart-legend"));
      this.choice = this.head.appendChild(element("div", "chart-span"));
      this.choice.setAttribute("role", "group");
      this.canvas = place.appendChild(element("div", "chart-lines"));
      this.said = place.appendChild(element("p", "chart-said quiet"));
      new ResizeObserver(() => this.resize()).observe(place);
      this.load();
    }

    async load() {
      const asked = new URLSearchParams(this.points.map((name) => ["point", name]));
      asked.set("last", SPANS[this.span]);
      const span = this.span;
      try {
        const answer = await fetch(`/power/history.json?${asked}`, { signal: AbortSignal.timeout(WITHIN_MS) });
        const told = await answer.json();
        if (span !== this.span) return; // a person chose another meanwhile
        if (!answer.ok) throw new Error(told.text);
        this.told = told;
        this.said.textContent = "";
        this.draw();
      } catch (error) {
        this.said.textContent = (error instanceof Error && error.name === "Error" && error.message) || "---";
      }
    }

    draw() {
      const { words } = this.told;
      this.choose(words);
      this.plot?.destroy();
      this.plot = undefined;
      this.legend.replaceChildren();
      const drawn = this.points
        .map((name) => ({ name, ...this.told.points[name] }))
        .filter((one) => one.kind !== "" && one.kind !== "word" && known(one.mean).length > 0);
      if (drawn.length === 0) {
        this.said.textContent = words.none;
        return;
      }
      drawn.forEach((one, index) => this.explain(one, index, words));
      this.canvas.setAttribute("role", "img");
      this.canvas.setAttribute("aria-label", [...this.legend.children].map((row) => row.textContent).join("; "));
      this.plot = new uPlot(this.options(drawn), this.values(drawn), this.canvas);
    }

    choose(words) {
      this.choice.setAttribute("aria-label", words.span);
      this.choice.replaceChildren(
        ...Object.keys(SPANS).map((span) => {
          const button = element("button", "link", words[span]);
          button.type = "button";
          button.setAttribute("aria-pressed", String(span === this.span));
          button.addEventListener("click", () => {
            this.span = span;
            this.choose(words);
            [...this.choice.children].find((other) => other.getAttribute("aria-pressed") === "true").focus();
            this.load();
          });
          return button;
        }),
      );
    }

    // What the line says in words: for who cannot see it, and for who wants the figure.
    explain(one, index, words) {
      const row = this.legend.appendChild(element("li"));
      const key = row.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
      key.setAttribute("viewBox", "0 0 26 8");
      key.setAttribute("aria-hidden", "true");
      const line = key.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
      line.setAttribute("d", "M0 4h26");
      line.setAttribute("stroke-dasharray", DASHES[index % DASHES.length].join(" "));
      const least = Math.min(...known(one.low));
      const most = Math.max(...known(one.high));
      row.append(
        element("b", "", this.names[one.name] || this.told.names[one.name]),
        ` ${shown(lastOf(one.mean), one.unit)}`,
        element("span", "quiet", ` · ${words.least} ${shown(least, one.unit)} · ${words.most} ${shown(most, one.unit)}`),
      );
    }

    // Each point is three series: its mean as a line, and lowest and highest as the edges of a band.
    values(drawn) {
      const { begin, step, count } = this.told;
      const at = Array.from({ length: count }, (_, index) => begin + index * step);
      return [at, ...drawn.flatMap((one) => [one.mean, one.low, one.high])];
    }

    options(drawn) {
      const [ink, soft, grid] = [colour("--ink"), colour("--soft"), colour("--line")];
      const units = [...new Set(drawn.map((one) => one.unit || "1"))];
      const { begin, step, count, zone } = this.told;
      const digits = uPlot.fmtDate(this.span === "day" ? "{HH}:{mm}" : "{DD}/{MM}");
      const tzDate = (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone);
      const font = `12px ${getComputedStyle(document.body).fontFamily}`;
      const axis = { stroke: soft, font, ticks: { stroke: grid, width: 1 } };
      const bare = { width: 0, points: { show: false } };
      const stepped = uPlot.paths.stepped({ align: 1 });
      return {
        width: this.width(),
        height: HEIGHT,
        tzDate,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { min: begin, max: begin + step * count },
          ...Object.fromEntries(units.map((unit) => [unit, { range: unit === "%" ? percent : padded }])),
        },
        axes: [
          { ...axis, space: 60, grid: { stroke: grid, width: 1 }, values: (_, at) => at.map((s) => digits(tzDate(s))) },
          ...units.slice(0, 2).map((unit, index) => ({
            ...axis,
            scale: unit,
            side: index === 0 ? 3 : 1,
            size: 62,
            grid: { show: index === 0, stroke: grid, width: 1 },
            values: (_, marks) => marks.map((mark) => (unit === "1" ? shown(mark, "") : shown(mark, unit))),
          })),
        ],
        series: [
          {},
          ...drawn.flatMap((one, index) => {
            const scale = one.unit || "1";
            const line = { scale, stroke: ink, width: 1.6, dash: DASHES[index % DASHES.length], points: { show: false } };
            if (one.kind === "bool") line.paths = stepped;
            return [line, { scale, ...bare }, { scale, ...bare }];
          }),
        ],
        bands: drawn.map((_, index) => ({ series: [3 * index + 3, 3 * index + 2], fill: faint(ink) })),
      };
    }

    width() {
      return Math.max(200, Math.floor(this.place.clientWidth));
    }

    resize() {
      if (this.plot && this.plot.width !== this.width()) this.plot.setSize({ width: this.width(), height: HEIGHT });
    }
  }

  // A percentage is judged by the whole; a voltage by how far it moved.
  const percent = (_, least, most) => [0, Math.max(100, most ?? 0)];
  const padded = (_, least, most) => {
    if (least === null || least === undefined) return [0, 1];
    const pad = Math.max((most - least) * 0.1, Math.abs(most) * 0.01, 0.1);
    return [least >= 0 ? Math.max(0, least - pad) : least - pad, most + pad];
  };
  const faint = (ink) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(ink.slice(at, at + 2), 16));
    return `rgba(${r},${g},${b},${BAND})`;
  };

  const charts = [...document.querySelectorAll(".chart[data-points]")].map((place) => new Chart(place));
  if (charts.length === 0) return;
  const redraw = () => charts.forEach((chart) => chart.told && chart.draw());
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const again = () => document.visibilityState === "visible" && charts.forEach((chart) => chart.load());
  setInterval(again, AGAIN_MS);
  document.addEventListener("visibilitychange", again);
})();
