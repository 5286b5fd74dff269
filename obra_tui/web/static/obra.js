// What makes an open page live: it hears of news and takes the changed part of itself anew. Every page works without it.
"use strict";
(() => {
  const body = document.body;
  const said = document.getElementById("said");
  const topics = (body.dataset.topics || "").split(" ").filter((name) => name && name !== "none");

  // A file whose end was on the screen was read to its end; its box can be ticked by hand as well.
  const ends = document.querySelectorAll("[data-end]");
  if (ends.length && "IntersectionObserver" in window) {
    const watch = new IntersectionObserver((seen) => {
      for (const item of seen) {
        if (item.isIntersecting) {
          const box = item.target.querySelector("input");
          if (box) box.checked = true;
          watch.unobserve(item.target);
        }
      }
    }, { threshold: 1 });
    ends.forEach((end) => watch.observe(end));
  }

  const log = document.getElementById("log-lines");
  const atEnd = () => !log || log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  if (log) log.scrollTop = log.scrollHeight;

  function addLines(lines) {
    if (!log || !lines.length) return;
    const stay = atEnd();
    for (const line of lines) {
      const item = document.createElement("li");
      item.textContent = line;
      log.append(item);
    }
    while (log.children.length > 1000) log.firstChild.remove();
    if (stay) log.scrollTop = log.scrollHeight;
  }

  let loading = false;
  let again = false;
  async function refresh() {
    if (loading) { again = true; return; }
    loading = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Part": "live" } });
      if (answer.status === 401) { say("This login has ended: load the page to log in again."); return; }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      const shown = document.getElementById("live");
      if (!fresh || !shown) return;
      if (fresh.innerHTML === shown.innerHTML) return;
      // What somebody is writing is never taken away.
      const writing = [...shown.querySelectorAll("textarea,input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
      if (writing) { say("Something changed: load the page again."); return; }
      const answerForm = document.getElementById("answer");
      shown.replaceWith(document.adoptNode(fresh));
      const heading = fresh.querySelector("h1");
      if (heading) say(heading.textContent);
      if (answerForm && fresh.textContent.trim()) {
        say("This gate was answered meanwhile.");
        answerForm.querySelectorAll("button").forEach((button) => { button.disabled = true; });
      }
    } catch {
      // The server is away for a moment; the stream of news tells when it is back.
    } finally {
      loading = false;
      if (again) { again = false; refresh(); }
    }
  }

  function say(text) { if (said) said.textContent = text; }

  if (!topics.length || !("EventSource" in window)) return;
  const query = new URLSearchParams();
  if (body.dataset.session) { query.set("session", body.dataset.session); query.set("after", body.dataset.after || "0"); }
  const news = new EventSource(`/news?${query}`);
  let wasOpen = false;
  news.onopen = () => {
    body.dataset.live = "yes";
    if (wasOpen) { log ? location.reload() : refresh(); }
    wasOpen = true;
  };
  news.onmessage = (message) => {
    const heard = JSON.parse(message.data);
    addLines(heard.lines);
    if (heard.changed.some((name) => topics.includes(name))) refresh();
  };
  news.addEventListener("over", () => { news.close(); say("This login has ended: load the page to log in again."); });
  window.addEventListener("pagehide", () => news.close());
})();
