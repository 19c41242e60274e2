// A station's own hand: one press acknowledges. It is asked for until core has answered, under one key an order.
"use strict";
(() => {
  const { give, newKey } = window.siaga;
  const keys = new Map(); // of each order: pressed twice it is acknowledged once

  // On the document: the stream puts new buttons in place of old ones.
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-acknowledge]");
    if (!button || button.disabled) return;
    const { alert } = button.dataset;
    if (!keys.has(alert)) keys.set(alert, newKey());
    give("/order/acknowledge", [["alert", alert], ["key", keys.get(alert)]]);
  });
})();
