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
      onClick: (event, found) => found.length && window.location.assign(data.urls[found[0].index]),
      onHover: (event, found) => (event.native.target.style.cursor = found.length ? "pointer" : ""),
      plugins: {
        legend: {
          display: data.lines.length > 1,
          position: "bottom",
          labels: { color: palette.text, boxWidth: stacked ? 12 : 24, boxHeight: 12, usePointStyle: !stacked, pointStyle: "line" },
        },
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

  // A page that loads its panel again (after a run) keeps the range that was chosen in it.
  document.addEventListener("htmx:configRequest", (event) => {
    const panel = event.detail.elt.querySelector(":scope > .llm-dash");
    if (panel && /\/numbers\/(\?|$)/.test(event.detail.path) && !/[?&]range=/.test(event.detail.path)) {
      event.detail.parameters.range = panel.dataset.range;
    }
  });

  document.addEventListener("htmx:load", (event) => {
    if (event.target.matches?.(".llm-dash")) announce(event.target);
    drawAll(event.target);
  });

  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => drawAll(document)).observe(document.documentElement, { attributeFilter: ["class"] });
  });
})();
