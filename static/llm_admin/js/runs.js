/* Follows the runs that are open on this page over one stream of server-sent events.
 *
 * A run's element carries data-run-id, data-run-position and, while it is open, data-run-open; inside, the text of a
 * step ("" in a prompt's run) streams into [data-run-text="<path>"], and [data-node="<path>"] is refreshed when the step
 * starts or ends; a step that has no place yet makes the one around it come anew. What this page knows of a text is kept here, so that a part swapped in meanwhile neither loses nor
 * repeats a word. On the run's element "llm:step" and, at the end, "llm:ended" are dispatched; both bubble.
 */
window.llmRuns = (() => {
  "use strict";

  const OPEN = ["pending", "running"];
  const GATHERING = 700; // ms between two looks at a step that holds others
  const INNER = /(?:\[\d*\]|\.[a-z_]+)\.\d+$/; // what a path has after the step that it stands in
  const runs = new Map(); // id -> {position, texts: Map(path -> {text, position})}
  const resting = new Map(); // id -> {until, times}: its stream is over, yet its row still says open
  const refreshing = new Map(); // "id path" -> whether it changed again meanwhile; path: of the node that comes anew
  let source = null;
  let followed = "";
  let failures = 0;

  const elements = (id) => document.querySelectorAll(`[data-run-id="${CSS.escape(id)}"]`);

  /* ---- what is on the page ------------------------------------------------------------------------------------ */

  function scan() {
    const seen = new Set();
    for (const element of document.querySelectorAll("[data-run-id][data-run-open]")) {
      const id = element.dataset.runId;
      if (resting.has(id) && resting.get(id).until > Date.now()) continue;
      seen.add(id);
      adopt(element, id);
    }
    for (const id of [...runs.keys()]) if (!seen.has(id)) runs.delete(id);
    connect();
  }

  /* A part that was rendered later than what we know brings the newer text; an older one is filled in by us. */
  function adopt(element, id) {
    const run = runs.get(id) || { position: 0, texts: new Map() };
    runs.set(id, run);
    run.position = Math.max(run.position, positionOf(element));
    for (const node of element.querySelectorAll("[data-run-text]")) {
      const known = run.texts.get(node.dataset.runText);
      const position = positionOf(node.closest("[data-run-position]"));
      if (known && known.position >= position) fill(node, known.text);
      else run.texts.set(node.dataset.runText, { text: node.textContent, position });
    }
  }

  const positionOf = (element) => Number(element.dataset.runPosition) || 0;

  function fill(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  /* ---- the stream --------------------------------------------------------------------------------------------- */

  const names = () => [...runs.keys()].sort().join(" ");

  function connect() {
    if (names() === followed) return;
    close();
    followed = names();
    if (runs.size) open();
  }

  function close() {
    if (source) source.close();
    source = null;
    followed = "";
  }

  function open() {
    const url = new URL(document.querySelector("[data-run-follow]").dataset.runFollow, location.href);
    runs.forEach((run, id) => url.searchParams.append("run", `${id}:${run.position}`));
    source = new EventSource(url);
    source.addEventListener("open", () => (failures = 0));
    source.addEventListener("token", (event) => token(JSON.parse(event.data)));
    source.addEventListener("step", (event) => step(JSON.parse(event.data)));
    source.addEventListener("status", (event) => status(JSON.parse(event.data)));
    source.addEventListener("end", over);
    source.addEventListener("error", broken);
  }

  /* The browser reconnects by itself after a lost connection, not after a refusal (signed out, server restarting). */
  function broken() {
    if (!source || source.readyState !== EventSource.CLOSED) return;
    failures += 1;
    setTimeout(reconnect, Math.min(30000, 1000 * 2 ** failures));
  }

  function reconnect() {
    close();
    connect();
  }

  /* The server has nothing more to tell: whatever still looks open here is fetched as it is now. */
  function over() {
    close();
    [...runs.keys()].forEach(ended);
  }

  /* ---- events ------------------------------------------------------------------------------------------------- */

  function token({ run: id, position, path, text }) {
    const run = runs.get(id);
    if (!run) return;
    run.position = Math.max(run.position, position);
    const known = run.texts.get(path) || { text: "", position: 0 };
    if (position <= known.position) return;
    run.texts.set(path, { text: known.text + text, position });
    for (const element of elements(id)) {
      const node = element.querySelector(`[data-run-text="${CSS.escape(path)}"]`);
      if (!node) continue;
      const box = followedBox(node);
      node.append(text); // a text node: an answer is never markup
      if (box) box.scrollTop = box.scrollHeight;
    }
  }

  /* The scrolling box around an answer, if the reader is at its end: then it stays there. */
  function followedBox(node) {
    const box = node.closest("[data-run-scroll]");
    return box && box.scrollHeight - box.scrollTop - box.clientHeight < 40 ? box : null;
  }

  function step({ run: id, position, path, status: state }) {
    const run = runs.get(id);
    if (run) run.position = Math.max(run.position, position);
    for (const element of elements(id)) {
      element.dispatchEvent(new CustomEvent("llm:step", { bubbles: true, detail: { id, path, status: state } }));
      refreshStep(element, path, id);
    }
  }

  /* One request at a time for a step; what happened meanwhile is fetched after it (htmx would drop it with the old one).
     A step without a card of its own yet comes with the one that it stands in, which may be large: now and then is enough. */
  async function refreshStep(element, path, id) {
    const node = nearest(element, path);
    if (!node) return;
    const key = `${id} ${node.dataset.node}`;
    if (refreshing.has(key)) return refreshing.set(key, true);
    let shown = node;
    do {
      refreshing.set(key, false);
      const pause = shown.dataset.node === path ? 0 : GATHERING;
      if (shown.isConnected) await swapStep(shown);
      if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
      shown = at(element, node.dataset.node) || shown;
    } while (refreshing.get(key));
    refreshing.delete(key);
  }

  const at = (element, path) => element.querySelector(`[data-node="${CSS.escape(path)}"]`);

  function nearest(element, path) {
    for (let place = path; place; place = outer(place)) {
      const node = at(element, place);
      if (node) return node;
    }
    return null;
  }

  const outer = (path) => (INNER.test(path) ? path.replace(INNER, "") : "");

  /* What somebody folded or opened stays so. */
  async function swapStep(node) {
    const folds = new Map([...node.querySelectorAll("[data-fold]")].map((fold) => [fold.dataset.fold, fold.open]));
    const { node: path } = node.dataset;
    const parent = node.parentElement;
    await htmx.ajax("GET", node.querySelector("[data-step]").dataset.url, { source: node, target: node, swap: "outerHTML" });
    const now = parent.isConnected ? at(parent, path) : null;
    if (!now) return;
    for (const fold of now.querySelectorAll("[data-fold]")) if (folds.has(fold.dataset.fold)) fold.open = folds.get(fold.dataset.fold) || fold.open;
  }

  const swap = (element, url) => htmx.ajax("GET", url, { source: element, target: element, swap: "outerHTML" });

  function status({ run: id, status: state }) {
    if (!OPEN.includes(state)) return ended(id);
    for (const element of elements(id)) {
      element.dataset.runStatus = state;
      const chip = element.querySelector(".llm-run-head .llm-status");
      if (chip && chip.classList.contains("llm-status-pending")) running(chip);
    }
  }

  function running(chip) {
    chip.classList.replace("llm-status-pending", "llm-status-running");
    chip.lastChild.textContent = "Running";
  }

  async function ended(id) {
    const run = runs.get(id);
    runs.delete(id);
    followed = names(); // should it come back (Stop answered with what it saw before the end), it is followed anew
    if (!runs.size) close();
    for (const element of elements(id)) {
      if (!element.hasAttribute("data-run-open")) continue;
      const now = await refreshed(element, id);
      if (now.hasAttribute("data-run-open") && now !== element) {
        rest(id);
        continue;
      }
      now.removeAttribute("data-run-open");
      if (run) keep(now, run);
      announce(now);
      now.dispatchEvent(new CustomEvent("llm:ended", { bubbles: true, detail: { id, status: now.dataset.runStatus } }));
    }
    scan();
  }

  function rest(id) {
    const times = resting.has(id) ? resting.get(id).times + 1 : 0;
    const pause = Math.min(10000, 200 * 2 ** times);
    resting.set(id, { until: Date.now() + pause, times });
    setTimeout(scan, pause + 10);
  }

  async function refreshed(element, id) {
    const url = element.dataset.runPanel;
    if (!url) return element;
    const parent = element.parentElement;
    await swap(element, url);
    return parent.querySelector(`[data-run-id="${CSS.escape(id)}"]`) || element;
  }

  /* Where the workspace stores no texts, what was streamed stays readable until the page is left. */
  function keep(element, run) {
    element.querySelectorAll("[data-run-unkept]").forEach((node) => fill(node, (run.texts.get(node.dataset.runFinal) || { text: "" }).text));
  }

  function announce(element) {
    let voice = document.getElementById("llm-voice");
    if (!voice) {
      voice = document.createElement("div");
      voice.id = "llm-voice";
      voice.className = "llm-sr";
      voice.setAttribute("role", "status");
      document.body.append(voice);
    }
    const chip = element.querySelector(".llm-run-head .llm-status");
    voice.textContent = `${element.getAttribute("aria-label") || "Run"}: ${chip ? chip.textContent.trim() : "ended"}`;
  }

  /* ---- htmx --------------------------------------------------------------------------------------------------- */

  document.addEventListener("htmx:afterSettle", scan);
  document.addEventListener("DOMContentLoaded", scan);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && scan());

  return { scan, following: () => [...runs.keys()] };
})();
