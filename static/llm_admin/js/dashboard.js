// Draws the charts of every panel of numbers: at load, after htmx swapped one in, and again when the theme changes.
(() => {
  "use strict";
  const drawn = new Map(); // canvas -> Chart

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const isDark = () => document.documentElement.classList.contains("dark");

  function colours() {
    return {
      series: [1, 2, 3, 4, 5, 6, 7].map((number) => style(`--llm-series-${number}`)),
      text: style(isDark() ? "--color-base-300" : "--color-base-600"),
      grid: style(isDark() ? "--color-base-700" : "--color-base-200"),
    };
  }

  // What a bar leads to stands in the table behind the chart: closer, or to the logs.
  function follow(canvas, index) {
    const rows = canvas.closest("[data-llm-chart]").querySelectorAll("tbody tr");
    rows[index]?.querySelector("a")?.click();
  }

  function dataset(line, position, data, palette) {
    const colour = palette.series[(line.colour - 1) % palette.series.length];
    const shared = { label: line.name, data: line.values, texts: line.texts, borderColor: colour, backgroundColor: colour };
    if (data.kind === "line") {
      // The second line is dashed: colour alone tells nobody who cannot see it.
      return { ...shared, borderWidth: 2, borderDash: position ? [6, 4] : [], pointRadius: 2, spanGaps: true };
    }
    return { ...shared, borderWidth: 0, maxBarThickness: 28 };
  }

  function withUnit(value, unit) {
    const number = value.toLocaleString(document.documentElement.lang || "en", { maximumSignificantDigits: 3 });
    if (["s", "ms"].includes(unit)) return `${number} ${unit}`;
    return unit.length > 1 ? `${unit} ${number}` : unit + number;
  }

  function options(data, palette) {
    const stacked = data.kind === "bar";
    const counts = data.unit === "";
    const ticks = { color: palette.text };
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      onClick: (event, found) => found.length && follow(event.chart.canvas, found[0].index),
      onHover: (event, found) => (event.native.target.style.cursor = found.length ? "pointer" : ""),
      plugins: {
        legend: { display: false }, // it stands below, as links
        tooltip: {
          filter: (item) => stacked ? item.raw !== 0 : item.raw !== null,
          callbacks: {
            title: (items) => (items.length ? data.titles[items[0].dataIndex] : ""),
            label: (item) => `${item.dataset.label}: ${item.dataset.texts[item.dataIndex]}`,
          },
        },
      },
      scales: {
        x: { stacked, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12 }, grid: { display: false } },
        y: {
          stacked,
          beginAtZero: true,
          ticks: { ...ticks, maxTicksLimit: 6, precision: counts ? 0 : undefined, callback: (value) => withUnit(value, data.unit) },
          grid: { color: palette.grid },
          border: { display: false },
        },
      },
    };
  }

  function draw(figure) {
    const canvas = figure.querySelector("canvas");
    const script = figure.querySelector('script[type="application/json"]');
    if (!canvas || !script || !window.Chart) return;
    const data = JSON.parse(script.textContent);
    const palette = colours();
    Chart.defaults.font.family = getComputedStyle(figure).fontFamily;
    drawn.get(canvas)?.destroy();
    const datasets = data.lines.map((line, position) => dataset(line, position, data, palette));
    const chart = new Chart(canvas, { type: data.kind, data: { labels: data.labels, datasets }, options: options(data, palette) });
    drawn.set(canvas, chart);
  }

  function drawAll(root) {
    for (const [canvas, chart] of drawn) {
      if (!canvas.isConnected) {
        chart.destroy();
        drawn.delete(canvas);
      }
    }
    root.querySelectorAll("[data-llm-chart]").forEach(draw);
  }

  function announce(panel) {
    const title = panel.querySelector("[data-llm-announce]");
    let region = document.getElementById("llm-dash-status");
    if (!region) {
      region = Object.assign(document.createElement("p"), { id: "llm-dash-status", className: "llm-dash-sr" });
      region.setAttribute("role", "status");
      document.querySelector("#content, body").append(region);
    }
    region.textContent = title ? `Showing: ${title.textContent}` : "";
  }

  // A page that loads its panel again (after a run) keeps what was chosen in it.
  document.addEventListener("htmx:configRequest", (event) => {
    const panel = event.detail.elt.querySelector?.(":scope > .llm-dash");
    if (panel && event.detail.elt.matches("[data-llm-part]")) event.detail.path = panel.dataset.fragment;
  });

  // ---- a panel that replaces itself: tables stay open, the keyboard stays where it was ----
  let opened = new Set();
  let moved = false;

  document.addEventListener("htmx:beforeSwap", (event) => {
    const panel = event.detail.elt.closest?.(".llm-dash") || event.detail.elt.querySelector?.(":scope > .llm-dash");
    if (!panel) return;
    moved = panel.contains(document.activeElement);
    opened = new Set([...panel.querySelectorAll("details[data-key][open]")].map((one) => one.dataset.key));
  });

  document.addEventListener("htmx:load", (event) => {
    const panel = event.target;
    if (panel.matches?.(".llm-dash")) {
      panel.querySelectorAll("details[data-key]").forEach((one) => (one.open = opened.has(one.dataset.key)));
      announce(panel);
      if (moved && !panel.contains(document.activeElement)) {
        panel.querySelector("[data-llm-announce]")?.focus({ preventScroll: true });
      }
      [opened, moved] = [new Set(), false];
    }
    drawAll(panel);
  });

  // ---- a part that could not be loaded says so, and can be tried again ----
  const SENTENCES = {
    404: "could not be loaded: what they are about is no longer there.",
    0: "could not be loaded: the server does not answer.",
  };

  function complain(part, source, status) {
    part.querySelector(":scope > .llm-dash-failed")?.remove();
    const box = Object.assign(document.createElement("div"), { className: "llm-dash-failed" });
    box.setAttribute("role", "alert");
    const sentence = SENTENCES[status] || "could not be loaded: something went wrong on the server.";
    const again = Object.assign(document.createElement("button"), {
      type: "button",
      className: "llm-button llm-button-small",
      textContent: "Try again",
    });
    again.addEventListener("click", () => {
      if (source !== part && source.isConnected) source.matches("form") ? source.requestSubmit() : source.click();
      else htmx.trigger(part, "llm:again");
    });
    const words = Object.assign(document.createElement("p"), { textContent: `${part.dataset.llmPart} ${sentence}` });
    box.append(words, again);
    part.querySelector(":scope > .llm-dash-loading")?.remove();
    part.prepend(box);
  }

  function failed(event) {
    const part = event.detail.elt.closest?.("[data-llm-part]");
    const status = event.detail.xhr?.status || 0;
    if (part && ![403, 409, 422].includes(status)) complain(part, event.detail.elt, status); // those say it themselves
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.elt.closest?.("[data-llm-part]") && [404, 503].includes(event.detail.xhr.status)) {
      event.detail.shouldSwap = false;
    }
  });
  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, failed));
  document.addEventListener("htmx:beforeRequest", (event) => {
    event.detail.elt.closest?.("[data-llm-part]")?.querySelector(":scope > .llm-dash-failed")?.remove();
  });

  // A menu closes when somebody clicks elsewhere, or presses Escape.
  document.addEventListener("click", (event) => {
    document.querySelectorAll(".llm-dash-pick[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.(".llm-dash-pick[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => drawAll(document)).observe(document.documentElement, { attributeFilter: ["class"] });
  });
})();
