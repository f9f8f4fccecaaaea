/* Unsaved work is kept on the server while people type, and found again when they come back.
 * The server's answers never change the editor: only "Continue with them" does.
 */
window.llmDrafts = (() => {
  "use strict";

  const EVERY_MS = 2000;
  const RETRY_MS = 10_000;
  const GIVEN_UP_MS = 30_000;
  const KEEPALIVE_BYTES = 60_000; // a browser sends no more than 64 kB after the page is gone
  let state = null; // what the server gave: tab, urls, found ...
  let line = null;
  let told = null; // for screen readers: only when it turns from kept to lost and back
  let kept = ""; // the fields that the server has
  let sentLast = ""; // those that were sent as the page was about to go
  let lastSent = 0;
  let timer = 0;
  let busy = false;
  let lost = false;
  let leaving = false; // the form was submitted: from now on the server decides

  const form = () => document.getElementById("prompt_form");
  const studio = () => window.llmStudio && window.llmStudio();

  /* After logging in again in another tab, the token of this page is no longer right; the cookie's is. */
  function token() {
    const cookie = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
    return cookie ? cookie[1] : form().querySelector("[name=csrfmiddlewaretoken]").value;
  }

  function post(url, fields, options = {}) {
    const body = new URLSearchParams(fields);
    return fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token(), "HX-Request": "true" }, redirect: "error", ...options });
  }

  function fields() {
    const editor = studio();
    if (!editor.dirty) return { draft_tab: state.tab };
    const { name, description } = editor;
    const based_on = form().querySelector("[name=based_on]").value;
    return { draft_tab: state.tab, dirty: "1", spec: JSON.stringify(editor.current()), name, description, based_on };
  }

  const written = (given) => new URLSearchParams(given).toString();
  const undecided = () => !!state.found;

  /* ---- what the line in the title area says ---- */

  function clock(moment) {
    return new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  }

  function say(text, kind = "kept", link = null) {
    line.textContent = text;
    line.dataset.kind = kind;
    if (link) line.append(" ", Object.assign(document.createElement("a"), { target: "_blank", rel: "noopener", ...link }));
    if (lost !== (kind === "lost")) told.textContent = text;
    lost = kind === "lost";
  }

  function refused(response, answer) {
    if (answer && answer.problem) return say(`Not kept. ${answer.problem}`, "lost");
    if (response.status === 403) return say("Not kept: you may not change this, or you were logged out.", "lost", { href: state.urls.change || location.href, textContent: "Log in again" });
    if (response.status === 413 || response.status === 400) return say("Not kept: the text is too large.", "lost");
    return say("Not kept: the server has a problem. Your text is still here.", "lost");
  }

  /* ---- keeping ---- */

  function schedule(wait = 0) {
    clearTimeout(timer);
    timer = setTimeout(send, Math.max(wait, lastSent + EVERY_MS - Date.now()));
  }

  async function send() {
    if (busy || leaving || !studio()) return;
    if (undecided()) return studio().dirty && say("Not kept: decide about your older unsaved changes above.", "lost");
    const given = fields();
    if (written(given) === kept || (!given.dirty && !kept && !state.takeOver)) return;
    busy = true;
    lastSent = Date.now();
    if (state.takeOver) given.over = "1";
    try {
      const response = await post(state.urls.draft, given);
      const answer = (response.headers.get("content-type") || "").includes("json") ? await response.json() : null;
      if (leaving) return;
      if (!response.ok) refused(response, answer);
      else accepted(given, answer);
      if (response.status >= 500) schedule(RETRY_MS);
    } catch {
      if (leaving) return;
      if (navigator.onLine && (await loggedOut())) {
        say("Not kept: you are logged out.", "lost", { href: state.urls.change || location.href, textContent: "Log in in a new tab" });
      } else {
        say("Not kept: the server cannot be reached. Your text is still here.", "lost");
      }
      schedule(RETRY_MS);
    } finally {
      busy = false;
    }
    if (written(fields()) !== written(withoutOver(given)) && !lost) schedule();
  }

  const withoutOver = ({ over, ...given }) => given;

  /* The login page is where everything is sent then; a redirect is all that a script may see of it. */
  async function loggedOut() {
    try {
      const answer = await fetch(state.urls.draft, { method: "GET", redirect: "manual" });
      return answer.type === "opaqueredirect";
    } catch {
      return false;
    }
  }

  function accepted(given, answer) {
    state.takeOver = false;
    kept = written(withoutOver(given));
    sentLast = "";
    answer.at ? say(`Draft kept ${clock(answer.at)}`) : say("");
  }

  /* The page goes: what is not kept yet is sent after it, if it is small enough for that. */
  function flush() {
    if (!state || leaving || undecided() || !studio()) return;
    const given = fields();
    if ([kept, sentLast].includes(written(given)) || (!given.dirty && !kept)) return;
    if (written(given).length >= KEEPALIVE_BYTES) return;
    sentLast = written(given);
    post(state.urls.draft, given, { keepalive: true }).catch(() => {});
  }

  /* Everything is kept, or will be when the page goes: then leaving needs no question. */
  function safe() {
    if (!studio() || undecided() || lost || leaving) return false;
    const now = written(fields());
    return now === kept || (!!kept && now.length < KEEPALIVE_BYTES);
  }

  /* ---- finding it again ---- */

  function decided() {
    state.found = null;
    state.takeOver = true;
    document.getElementById("llm-found")?.remove();
    say("");
  }

  /* The page before this one sent its last words while this one was loading: they are newer than what was found. */
  async function asItIsNow() {
    try {
      const response = await fetch(state.urls.draft, { redirect: "error" });
      if (response.ok) return (await response.json()).found || state.found;
    } catch { /* offline, or logged out: what was found is here */ }
    return state.found;
  }

  async function continueWith(button) {
    button.disabled = true;
    const { spec, name, description, basedOn } = await asItIsNow();
    const outdated = basedOn && basedOn < Number(form().querySelector("[name=based_on]").value);
    const detail = { spec, name: name ?? "", description: description ?? "" };
    if (basedOn) detail.basedOn = basedOn;
    decided();
    window.dispatchEvent(new CustomEvent("llm:load-spec", { detail }));
    schedule();
    if (outdated) window.dispatchEvent(new CustomEvent("llm:merge"));
    else Alpine.nextTick(() => (form().querySelector("textarea") || document.getElementById("llm-name")).focus());
  }

  function discard() {
    decided();
    lastSent = Date.now();
    post(state.urls.draft, { draft_tab: state.tab, over: "1" })
      .then((response) => { if (response.ok) say("Unsaved changes discarded"); else refused(response); })
      .catch(() => say("The server cannot be reached; nothing was discarded.", "lost"))
      .finally(() => schedule());
    document.getElementById("llm-name").focus();
  }

  /* In a long text what changed may stand below what fits. */
  function showFirstChange(text) {
    const first = text.querySelector("ins, del");
    if (first) text.scrollTop = first.offsetTop - text.offsetTop - text.clientHeight / 3;
  }

  async function difference(button) {
    const box = document.getElementById("llm-difference");
    const since = button.dataset.llmDifference;
    box.textContent = "Loading…";
    box.showModal();
    try {
      const response = await fetch(state.urls.difference + (since ? `?since=${since}` : ""), { headers: { "HX-Request": "true" } });
      box.innerHTML = await response.text();
      box.querySelectorAll(".llm-diff").forEach(showFirstChange);
      box.querySelector("[data-llm-dialog-close]")?.focus();
    } catch {
      box.textContent = "The server cannot be reached. Press Escape, and try again.";
    }
    box.addEventListener("close", () => button.isConnected && button.focus(), { once: true });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !state) return;
    if (button.dataset.llmFound) button.dataset.llmFound === "continue" ? continueWith(button) : discard();
    if (button.dataset.llmDifference !== undefined) difference(button);
    if (button.dataset.llmDialogClose !== undefined) button.closest("dialog").close();
  });

  /* Another listener may still hold it back, to ask first; and a browser may give it up ("Stop", no network). */
  function submitted(event) {
    form().querySelector("[name=csrfmiddlewaretoken]").value = token();
    setTimeout(() => {
      if (event.defaultPrevented) return;
      leaving = true;
      clearTimeout(timer);
      setTimeout(() => { leaving = false; schedule(); }, GIVEN_UP_MS);
    });
  }

  document.addEventListener("alpine:initialized", () => {
    const given = document.getElementById("llm-drafts-state");
    if (!given || !form()) return;
    state = JSON.parse(given.textContent);
    line = Object.assign(document.createElement("span"), { className: "llm-draft-state" });
    told = Object.assign(document.createElement("span"), { className: "llm-sr" });
    told.setAttribute("role", "status");
    document.querySelector(".llm-title-state").append(line, told);
    document.querySelectorAll("[data-llm-clock]").forEach((time) => {
      const moment = new Date(time.dateTime);
      const today = moment.toDateString() === new Date().toDateString();
      time.textContent = today ? clock(moment) : moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
    });
    window.addEventListener("llm:edited", () => schedule());
    window.addEventListener("online", () => schedule());
    window.addEventListener("pagehide", flush);
    document.addEventListener("visibilitychange", () => document.hidden && schedule());
    form().addEventListener("submit", submitted);
    window.addEventListener("pageshow", (event) => { if (event.persisted) { leaving = false; schedule(); } });
    if (state.refused) schedule(); // the page of a refused save: the same tab goes on keeping
  });

  // Before the studio's own question, which comes when something is unsaved. The next page is asked for only after
  // this, but before pagehide: what is sent here is kept in time to be found there.
  window.addEventListener("beforeunload", (event) => {
    if (!state || !safe()) return;
    event.stopImmediatePropagation();
    flush();
  }, { capture: true });

  return { post, urls: () => (state ? state.urls : null), basedOn: () => form().querySelector("[name=based_on]").value };
})();
