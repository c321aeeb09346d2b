// Keeps an open page up to date. The server sends the page's new <main>; what is equal stays, so that focus, selection,
// scroll positions and open <details> stay too. Without this file every page is complete, and old until it is loaded again.
"use strict";

(() => {
  const main = () => document.getElementById("main");
  const state = document.getElementById("live");
  const minimumPause = 1000;
  const longestPause = 15000;
  let source = null;
  let pause = minimumPause;
  let timer = null;
  // A form that somebody is filling in must not change under their hands.
  const isHeld = (element) => element.hasAttribute("data-keep");

  const say = (kind, text) => {
    if (!state) return;
    state.dataset.state = kind;
    state.textContent = text;
  };

  // Makes `old` equal to `fresh`, changing as little as there is to change.
  const morph = (old, fresh) => {
    if (isHeld(old) && isHeld(fresh)) return;
    attributes(old, fresh);
    children(old, fresh);
  };

  const attributes = (old, fresh) => {
    const isOpenable = old.tagName === "DETAILS" || old.tagName === "DIALOG";
    for (const { name, value } of fresh.attributes) {
      if (isOpenable && name === "open") continue;
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (isOpenable && name === "open") continue;
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  };

  const key = (node) => (node.nodeType === Node.ELEMENT_NODE && node.id ? node.id : null);

  const isAlike = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);

  const children = (old, fresh) => {
    const byKey = new Map();
    for (const child of old.childNodes) if (key(child)) byKey.set(key(child), child);
    const wanted = new Set();
    for (const child of fresh.childNodes) if (key(child)) wanted.add(key(child));
    let place = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      // What has a key that is no longer wanted only stands in the way.
      while (place && key(place) && !wanted.has(key(place))) {
        const next = place.nextSibling;
        place.remove();
        place = next;
      }
      const known = key(child) ? byKey.get(key(child)) : null;
      if (known && isAlike(known, child)) {
        // A node that is moved loses its focus; one that is in its place is left there.
        if (known === place) place = place.nextSibling;
        else old.insertBefore(known, place);
        update(known, child);
      } else if (place && !key(place) && isAlike(place, child)) {
        const next = place.nextSibling;
        update(place, child);
        place = next;
      } else {
        old.insertBefore(document.importNode(child, true), place);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  };

  const update = (old, fresh) => {
    if (old.nodeType === Node.ELEMENT_NODE) {
      if (!old.isEqualNode(fresh)) morph(old, fresh);
    } else if (old.nodeValue !== fresh.nodeValue) {
      old.nodeValue = fresh.nodeValue;
    }
  };

  const show = ({ title, main: text }, version) => {
    const fresh = new DOMParser().parseFromString(text, "text/html").body;
    const target = main();
    const focused = document.activeElement;
    children(target, fresh);
    target.dataset.version = version;
    document.title = title;
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("beamline:shown"));
  };

  const address = () => {
    const url = new URL(window.location.href);
    url.hash = "";
    url.searchParams.set("version", main().dataset.version || "");
    return url;
  };

  const close = () => {
    if (source) source.close();
    source = null;
    clearTimeout(timer);
  };

  const open = () => {
    close();
    // EventSource asks for text/event-stream, and so gets this page's events at its own address.
    source = new EventSource(address());
    source.addEventListener("open", () => {
      pause = minimumPause;
      say("on", "live");
    });
    source.addEventListener("page", (event) => {
      show(JSON.parse(event.data), event.lastEventId);
      say("on", "live");
    });
    source.addEventListener("over", () => window.location.reload());
    source.addEventListener("error", () => {
      close();
      say("off", "reconnecting");
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 2, longestPause);
    });
  };

  // A browser gives a host six connections: pages that nobody sees leave theirs to others.
  const attend = () => {
    if (!main() || !main().hasAttribute("data-version")) return;
    if (document.visibilityState === "visible") open();
    else close();
  };
  document.addEventListener("visibilitychange", attend);
  window.addEventListener("pageshow", attend);
  window.addEventListener("pagehide", close);
  window.addEventListener("offline", () => say("off", "offline"));
  window.addEventListener("online", attend);

  // Menus close when the focus goes elsewhere, and by Escape.
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of menus()) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    } else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target)) {
      const search = document.querySelector("input[type=search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
  });
  // A picker that is a form sends itself; without this file it has its button.
  document.addEventListener("change", (event) => {
    const picker = event.target.closest("[data-submit]");
    if (picker && picker.form) picker.form.requestSubmit();
  });
  const isTyping = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
})();
