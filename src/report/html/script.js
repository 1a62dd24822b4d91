"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const rows = all("[data-at]");
  const steps = all(".step");
  const versions = all("[data-from]");
  const said = document.querySelector("output");
  const last = steps.length;
  let current = last;

  function show(step) {
    current = Math.min(Math.max(step, 0), last);
    for (const row of rows) {
      row.classList.toggle("later", Number(row.dataset.at) > current);
      row.removeAttribute("aria-current");
    }
    for (const version of versions) {
      const from = Number(version.dataset.from);
      version.hidden = current < from || current >= Number(version.dataset.to);
      version.classList.toggle("new", from === current && current > 0);
    }
    if (current > 0) {
      steps[current - 1].setAttribute("aria-current", "step");
    }
    said.textContent = current > 0 ? `step ${current} of ${last}` : "before the first step";
  }

  function go(step) {
    show(step);
    if (current > 0) {
      steps[current - 1].scrollIntoView({ block: "nearest" });
    }
  }

  const to = {
    first: () => 0, back: () => current - 1, next: () => current + 1, last: () => last,
  };
  const keys = {
    Home: to.first, ArrowUp: to.back, ArrowLeft: to.back,
    End: to.last, ArrowDown: to.next, ArrowRight: to.next,
  };
  const linked = () => Number((location.hash.match(/^#step-(\d+)$/) || [])[1] || last);

  for (const button of all("[data-go]")) {
    button.addEventListener("click", () => go(to[button.dataset.go]()));
  }
  for (const row of steps) {
    row.addEventListener("click", () => show(Number(row.dataset.at)));
  }
  // A diagram that is wider than its place keeps the keys that scroll it.
  const scrolls = ({ target, key }) =>
    target.matches(".wide") && target.scrollWidth > target.clientWidth &&
    (key === "ArrowLeft" || key === "ArrowRight");
  document.addEventListener("keydown", (event) => {
    const isOther = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (!isOther && Object.hasOwn(keys, event.key) && !scrolls(event)) {
      event.preventDefault();
      go(keys[event.key]());
    }
  });
  addEventListener("hashchange", () => show(linked()));
  document.querySelector("nav").hidden = false;
  show(linked());
})();
