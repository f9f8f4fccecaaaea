// Tells the server the time zone of this browser's clock, and helps to choose another one.
(() => {
  "use strict";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  if (/^[\w+/-]+$/.test(zone)) {
    const secure = window.location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `llm_zone=${zone}; path=/; max-age=31536000; SameSite=Lax${secure}`;
  }

  document.addEventListener("toggle", (event) => {
    const list = event.target.matches?.(".llm-dash-zone") && event.target.querySelector("datalist");
    if (!list || list.children.length || !Intl.supportedValuesOf) return;
    const names = ["UTC", ...Intl.supportedValuesOf("timeZone")];
    list.append(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
  }, true);

  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("[data-llm-zone]")) return;
    event.target.elements.next.value = window.location.pathname + window.location.search;
  });
})();
