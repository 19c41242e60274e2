"""What tests look for on any page, as scripts: texts that are hard to read, and texts that leave their place."""

# Each text that can be seen, with its colour and the first opaque colour behind it.
COLOURS = """
() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const lum = (c) => {
    const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]);
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const weak = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; (n = walk.nextNode()); ) {
    const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility()) continue;
    if (e.closest("svg, .aloud, option, script, noscript, :disabled")) continue;
    const a = lum(rgb(getComputedStyle(e).color)), b = lum(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push([n.data.trim(), ratio.toFixed(2)]);
  }
  return weak;
}
"""

# Texts that stand over an edge of what holds them. Tables may be scrolled by themselves.
SPILLED = """
() => [...document.querySelectorAll("main *")]
  .filter((e) => e.checkVisibility() && e.children.length === 0)
  .filter((e) => !e.closest(".table, svg, option, select, .aloud, [popover]"))
  .filter((e) => { const r = e.getBoundingClientRect(), h = e.closest(".panel, .stage, main").getBoundingClientRect();
    return r.width && (r.right > h.right + 1 || r.left < h.left - 1); })
  .map((e) => e.textContent)
"""
