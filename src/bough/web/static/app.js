// What the pages gain with JavaScript: copying, curves, the live feed. Without it everything still works.
"use strict";
(() => {
  const say = (text) => {
    const box = document.getElementById("said");
    box.textContent = text;
    box.hidden = false;
    clearTimeout(box.timer);
    box.timer = setTimeout(() => { box.hidden = true; }, 4000);
  };

  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => say("Copied"), () => say("Copying is not allowed here; mark the text instead."));
    }
    const all = event.target.closest("[data-check-all]");
    if (all) {
      for (const box of document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`)) box.checked = all.checked;
    }
    for (const menu of document.querySelectorAll(".appmenu[open], .burger[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of document.querySelectorAll(".appmenu[open], .burger[open]")) menu.open = false;
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      const search = document.querySelector("input[type=search]");
      if (search) { search.focus(); event.preventDefault(); }
    }
  });
  document.addEventListener("submit", (event) => {
    const question = event.submitter && event.submitter.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
  // A byte order mark tells UTF-16, which spreadsheets write; without one it is UTF-8.
  const decoded = (bytes) => {
    const [first, second] = new Uint8Array(bytes);
    const encoding = first === 255 && second === 254 ? "utf-16le" : first === 254 && second === 255 ? "utf-16be" : "utf-8";
    return new TextDecoder(encoding).decode(bytes);
  };
  document.addEventListener("change", (event) => {
    const into = event.target.dataset && event.target.dataset.fileInto;
    if (into && event.target.files[0]) {
      event.target.files[0].arrayBuffer().then((bytes) => { document.getElementById(into).value = decoded(bytes); });
    }
    if (event.target.matches && event.target.matches("[data-submit-on-change] select")) event.target.form.requestSubmit();
  });

  // Curves. A chart's element holds its data: {x, labels, series: [{label, values, dash, open, tail, all}], money, percent}.
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const charts = new Map();
  const draw = (element) => {
    const data = JSON.parse(element.dataset.chart);
    const old = charts.get(element);
    if (old) old.destroy();
    const shown = (value) => value == null ? "–" : (data.money ? "$" : "") + value.toLocaleString("en", { maximumFractionDigits: data.money ? 2 : 4 }) + (data.unit || "");
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
    let hue = -1;
    const hues = data.series.map((one) => `--c${(one.dash || one.tail ? hue : one.open ? 0 : hue += 1) % 7 + 1}`);
    const place = (value) => data.labels[Math.round(value)] ?? "";
    const options = {
      width: element.clientWidth, height: data.height || 260, padding: [12, 28, 0, 0], cursor: { points: { size: 6 } },
      scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.06 : 1] } },
      axes: [
        { ...axis, values: (_, values) => values.map((value) => Number.isInteger(value) ? place(value) : ""), space: 80 },
        { ...axis, size: 64, values: (_, values) => values.map((value) => shown(value)) },
      ],
      series: [
        { label: data.x, value: (_, value) => value == null ? "–" : place(value) },
        ...data.series.map((one, i) => ({
          label: one.label, value: (_, value, __, at) => one.open && at !== data.labels.length - 1 ? "–" : shown(one.all && at != null ? one.all[at] : value),
          width: one.dash ? 1.5 : 2, dash: one.dash ? [4, 4] : one.open || one.tail ? [2, 3] : undefined,
          stroke: colour(one.dash ? "--before" : hues[i]), spanGaps: false, points: { show: data.labels.length < 3 },
          fill: data.series.filter((s) => !s.dash && !s.open && !s.tail).length === 1 && !one.dash && !one.open && !one.tail ? colour("--accent-soft") : undefined,
        })),
      ],
    };
    element.replaceChildren();
    const chart = new uPlot(options, [data.labels.map((_, i) => i), ...data.series.map((one) => one.values)], element);
    charts.set(element, chart);
    const legend = chart.root.querySelectorAll(".u-legend .u-series");
    data.series.forEach((one, i) => { if (one.tail && legend[i + 1]) legend[i + 1].hidden = true; });
  };
  const drawAll = (root) => {
    if (window.uPlot) for (const element of root.querySelectorAll("[data-chart]")) draw(element);
  };
  let resizing;
  window.addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(() => drawAll(document), 120); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) drawAll(event.detail.elt); });
  document.addEventListener("htmx:responseError", () => say("That did not work; load the page again."));
  document.addEventListener("htmx:sendError", () => say("The server cannot be reached."));

  // The live feed: rows come as HTML that the server has escaped.
  const feed = document.querySelector("[data-feed]");
  const state = document.querySelector("[data-feed-state]");
  const follow = () => {
    const source = new EventSource(feed.dataset.feed);
    source.onopen = () => { state.textContent = "Live"; };
    source.onerror = () => { state.textContent = "Reconnecting…"; };
    source.addEventListener("row", (event) => {
      const part = document.createElement("template");
      part.innerHTML = event.data;
      for (const row of [...part.content.children]) { row.classList.add("fresh-row"); feed.prepend(row); }
      while (feed.children.length > 60) feed.lastElementChild.remove();
      const none = document.querySelector("[data-feed-empty]");
      if (none) none.hidden = true;
    });
    window.addEventListener("pagehide", () => source.close());
  };
  drawAll(document);
  if (feed && window.EventSource) follow();
})();
