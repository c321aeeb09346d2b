// What a notebook does beyond its forms: they are sent without leaving the page, text is sent while it is written, and keys do
// what they do in Livebook. What is shown comes from the server alone, through live.js.
"use strict";

(() => {
  const root = () => document.getElementById("notebook");
  if (!root()) return;
  const may = root().dataset.may === "true";
  const token = document.querySelector('meta[name="form-token"]')?.content || "";
  const pause = 300;

  // Sending.

  const send = async (address, fields, options = {}) => {
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "x-form-token": token },
      body: JSON.stringify(fields),
      ...options,
    });
    const text = await response.text();
    const answer = text ? JSON.parse(text) : {};
    if (!response.ok) throw new Error(answer.error ? `${answer.error}${answer.try ? ` Try: ${answer.try}` : ""}` : response.statusText);
    return answer;
  };

  let silence = null;
  const say = (text) => {
    document.getElementById("says")?.remove();
    clearTimeout(silence);
    if (!text) return;
    const box = document.createElement("div");
    box.id = "says";
    box.setAttribute("role", "alert");
    box.textContent = text;
    document.body.append(box);
    silence = setTimeout(() => box.remove(), 8000);
  };

  const post = async (action, fields) => {
    try {
      const answer = await send(root().dataset[action], fields);
      say("");
      return answer;
    } catch (error) {
      say(error.message);
      return null;
    }
  };

  // Text.

  // Cells whose text is not known to the server yet, and the number of the server's last change that we have made.
  const waiting = new Map();
  const acknowledged = new Map();
  const number = () => Number(root().dataset.number);
  const cellOf = (element) => element?.closest?.(".cell");
  const areaOf = (cell) => cell?.querySelector("textarea");
  const idOf = (cell) => Number(cell.dataset.cell);

  // The colours come from the server; until they do, what has been typed is put between those that are still right.
  const recolour = (area) => {
    const under = area.parentElement.querySelector(".under");
    const text = `${area.value}\n`;
    const old = under.textContent;
    if (old === text) return;
    let start = 0;
    const most = Math.min(old.length, text.length);
    while (start < most && old[start] === text[start]) start += 1;
    let end = 0;
    while (end < most - start && old[old.length - 1 - end] === text[text.length - 1 - end]) end += 1;
    const fresh = document.createDocumentFragment();
    const copy = (from, to) => {
      let at = 0;
      for (const node of under.childNodes) {
        const piece = node.textContent;
        const [first, last] = [Math.max(from - at, 0), Math.min(to - at, piece.length)];
        if (first < last) {
          const part = node.cloneNode(false);
          if (part.nodeType === Node.TEXT_NODE) part.nodeValue = piece.slice(first, last);
          else part.textContent = piece.slice(first, last);
          fresh.append(part);
        }
        at += piece.length;
      }
    };
    copy(0, start);
    fresh.append(text.slice(start, text.length - end));
    copy(old.length - end, old.length);
    under.replaceChildren(fresh);
  };

  const typed = (area) => {
    const cell = cellOf(area);
    ranId = null;
    recolour(area);
    clearTimeout(waiting.get(idOf(cell)));
    waiting.set(idOf(cell), setTimeout(() => flush(cell), pause));
  };

  const flush = async (cell, options) => {
    const id = idOf(cell);
    if (!waiting.has(id)) return;
    clearTimeout(waiting.get(id));
    const source = areaOf(cell).value;
    try {
      const answer = await send(root().dataset.edit, { do: "source", cell: id, source }, options);
      acknowledged.set(id, answer.number);
      if (areaOf(cell).value === source) waiting.delete(id);
      say("");
    } catch (error) {
      // It is tried again: what somebody has written is not given up.
      waiting.set(id, setTimeout(() => flush(cell), 3000));
      say(`Not saved: ${error.message}`);
    }
  };

  // The page has been shown anew: the text that others have written is taken, and ours is kept.
  const settle = () => {
    for (const area of root().querySelectorAll("textarea")) {
      const id = idOf(cellOf(area));
      const isOurs = waiting.has(id) || (acknowledged.get(id) || 0) > number();
      if (!isOurs && area.value !== area.defaultValue) {
        const [start, end] = [area.selectionStart, area.selectionEnd];
        area.value = area.defaultValue;
        if (document.activeElement === area) area.setSelectionRange(start, end);
      }
      recolour(area);
    }
    for (const table of root().querySelectorAll("table[data-sortable]:not([data-ready])")) sortable(table);
    attendQuestion();
    const chosen = document.getElementById(chosenId);
    if (chosen && !chosen.classList.contains("chosen")) chosen.classList.add("chosen");
    if (wanted && document.getElementById(wanted)) {
      const cell = document.getElementById(wanted);
      wanted = null;
      choose(cell);
      write(cell);
    }
  };

  // What a cell asks gets the cursor if it was run from here, and nothing has been written elsewhere since.
  let ranId = null;
  const attendQuestion = () => {
    const field = ranId && document.getElementById(ranId)?.querySelector(".asks input[name=text]");
    if (!field) return;
    const active = document.activeElement;
    if (!isField(active) || cellOf(active)?.id === ranId) field.focus();
    ranId = null;
  };

  // Cells.

  let chosenId = null;
  let wanted = null;
  const cells = () => [...root().querySelectorAll(".cell")];
  const chosen = () => document.getElementById(chosenId);

  const choose = (cell, focus = true) => {
    if (!cell) return;
    for (const other of root().querySelectorAll(".cell.chosen")) if (other !== cell) other.classList.remove("chosen");
    chosenId = cell.id;
    cell.classList.add("chosen");
    if (focus && !cell.contains(document.activeElement)) cell.focus({ preventScroll: true });
    if (focus) cell.scrollIntoView({ block: "nearest" });
  };

  const step = (by) => {
    const all = cells();
    const at = all.indexOf(chosen());
    choose(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
  };

  const write = (cell) => {
    if (!may || !cell) return;
    const writing = cell.querySelector("details.writing");
    if (writing) writing.open = true;
    const area = areaOf(cell);
    if (area) {
      area.focus();
      recolour(area);
    }
  };

  const leave = (cell) => {
    if (!cell) return;
    flush(cell);
    const writing = cell.querySelector("details.writing");
    if (writing) writing.open = false;
    choose(cell);
    cell.focus({ preventScroll: true });
  };

  const isCode = (cell) => cell?.dataset.kind === "code";

  const run = async (cell) => {
    if (!isCode(cell)) return;
    const fields = { do: "run", cell: idOf(cell), source: areaOf(cell).value };
    clearTimeout(waiting.get(fields.cell));
    waiting.delete(fields.cell);
    const answer = await post("run", fields);
    if (answer) acknowledged.set(fields.cell, answer.number);
    else typed(areaOf(cell));
    ranId = answer && cell.id;
    attendQuestion();
  };

  const runStale = async () => {
    await Promise.all(cells().filter(areaOf).map((cell) => flush(cell)));
    post("run", { do: "stale" });
  };

  const insert = async (kind, below) => {
    const cell = chosen();
    const section = cell?.closest("[data-section]") || root().querySelector("[data-section]:last-of-type");
    if (!section) return;
    const at = [...section.querySelectorAll(".cell")].indexOf(cell);
    const index = at < 0 ? (below ? 1e6 : 0) : at + (below ? 1 : 0);
    const answer = await post("edit", { do: kind, section: Number(section.dataset.section), index: String(index) });
    if (answer) await look(answer.cell);
  };

  // Goes to a cell as soon as the page has it.
  const look = async (id) => {
    wanted = `cell-${id}`;
    settle();
  };

  const remove = async (cell) => {
    if (!cell) return;
    const all = cells();
    const next = all[all.indexOf(cell) + 1] || all[all.indexOf(cell) - 1];
    if (areaOf(cell)?.value.trim() && !window.confirm("Delete this cell?")) return;
    if (await post("edit", { do: "delete", cell: idOf(cell) })) choose(next);
  };

  const save = async () => {
    await Promise.all(cells().filter(areaOf).map((cell) => flush(cell)));
    const answer = await post("save", { do: "save" });
    if (answer?.changed_outside) say("The file has been changed by somebody else: choose what to keep, at the top of the page.");
  };

  // Completion.

  let words = null;
  const closeWords = () => {
    document.getElementById("words")?.remove();
    words = null;
  };

  const complete = async (area) => {
    const cell = cellOf(area);
    const before = area.value.slice(0, area.selectionStart);
    const answer = await post("complete", { cell: idOf(cell), before });
    if (!answer || area.value.slice(0, area.selectionStart) !== before) return;
    closeWords();
    if (answer.words.length === 0) return;
    words = { area, list: answer.words, at: 0 };
    if (answer.words.length === 1) return take();
    const list = document.createElement("ul");
    list.id = "words";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Completions");
    answer.words.forEach((word, index) => {
      const item = document.createElement("li");
      item.setAttribute("role", "option");
      item.textContent = word.shown;
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        words.at = index;
        take();
      });
      list.append(item);
    });
    const lines = before.split("\n");
    const box = area.getBoundingClientRect();
    const wide = 7.83;
    list.style.left = `${Math.max(8, Math.min(box.left + window.scrollX + 14 + lines[lines.length - 1].length * wide, window.innerWidth - 200))}px`;
    list.style.top = `${box.top + window.scrollY + 11 + lines.length * 20}px`;
    document.body.append(list);
    mark();
  };

  const mark = () => {
    const items = [...document.querySelectorAll("#words li")];
    items.forEach((item, index) => item.setAttribute("aria-selected", String(index === words.at)));
    items[words.at]?.scrollIntoView({ block: "nearest" });
  };

  const take = () => {
    const { area, list, at } = words;
    closeWords();
    area.setRangeText(list[at].text, list[at].start, area.selectionStart, "end");
    typed(area);
  };

  const inWords = (event) => {
    if (!words) return false;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) {
      words.at = (words.at + moves[event.key] + words.list.length) % words.list.length;
      mark();
    } else if (event.key === "Enter" || event.key === "Tab") take();
    else if (event.key === "Escape") closeWords();
    else {
      closeWords();
      return false;
    }
    return true;
  };

  // Keys.

  const inText = (event, area) => {
    const cell = cellOf(area);
    if (inWords(event)) return true;
    if (event.key === "Escape") leave(cell);
    else if (event.key === " " && event.ctrlKey && isCode(cell)) complete(area);
    else if (event.key === "Tab" && !event.shiftKey && isCode(cell) && !event.ctrlKey && !event.altKey) {
      area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
      typed(area);
    } else if (event.key === "Enter" && isCode(cell)) {
      const line = area.value.slice(0, area.selectionStart).split("\n").pop();
      const deeper = /(\bdo|->|\bfn|[([{])\s*$/.test(line) ? "  " : "";
      area.setRangeText(`\n${line.match(/^\s*/)[0]}${deeper}`, area.selectionStart, area.selectionEnd, "end");
      typed(area);
    } else return false;
    return true;
  };

  const withModifier = (event) => {
    if (event.target.closest?.(".asks")) return false;
    const cell = cellOf(event.target) || chosen();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.shiftKey) runStale();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      if (isCode(cell)) run(cell);
      else leave(cell);
    } else if (event.key === "Enter" && event.shiftKey) {
      run(cell);
      const all = cells();
      const next = all[all.indexOf(cell) + 1];
      if (event.target.tagName === "TEXTAREA") leave(cell);
      if (next) choose(next);
    } else if (event.key === "s" && (event.ctrlKey || event.metaKey)) save();
    else return false;
    return true;
  };

  let first = null;
  const single = {
    j: () => step(1),
    k: () => step(-1),
    J: () => chosen() && post("edit", { do: "down", cell: idOf(chosen()) }),
    K: () => chosen() && post("edit", { do: "up", cell: idOf(chosen()) }),
    n: () => insert("insert-code", true),
    N: () => insert("insert-code", false),
    m: () => insert("insert-text", true),
    M: () => insert("insert-text", false),
    i: () => write(chosen()),
    Enter: () => write(chosen()),
    s: () => post("edit", { do: "insert-section", index: String(sectionIndex() + 1) }),
    "?": () => document.getElementById("help").showModal(),
  };
  const double = {
    dd: () => remove(chosen()),
    ee: () => run(chosen()),
    ea: () => runStale(),
    ex: () => chosen() && post("run", { do: "cancel", cell: idOf(chosen()) }),
    es: () => {
      const section = chosen()?.closest("[data-section]");
      if (section) post("run", { do: "section", section: Number(section.dataset.section) });
    },
    "00": () => post("runtime", { do: "reconnect" }),
  };
  const sectionIndex = () => [...root().querySelectorAll("[data-section]")].indexOf(chosen()?.closest("[data-section]"));

  const inPage = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (!may && !["j", "k", "?"].includes(event.key)) return false;
    const pair = first && double[first + event.key];
    first = null;
    if (pair) pair();
    else if (event.key in single) single[event.key]();
    else if (Object.keys(double).some((keys) => keys[0] === event.key)) first = event.key;
    else return false;
    return true;
  };

  const isField = (element) => /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) || element.isContentEditable;

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const area = event.target.closest?.(".editor textarea");
    // A button that has the focus is pressed by Enter.
    const isPressed = event.key === "Enter" && /^(BUTTON|A|SUMMARY)$/.test(event.target.tagName);
    const isDone =
      (may && withModifier(event)) || (area ? inText(event, area) : !isField(event.target) && !isPressed && inPage(event));
    if (isDone) event.preventDefault();
  });

  // The mouse, and forms.

  document.addEventListener("input", (event) => {
    const area = event.target.closest?.(".editor textarea");
    if (!area) return;
    typed(area);
  });
  document.addEventListener("focusin", (event) => {
    const cell = cellOf(event.target);
    if (cell) choose(cell, false);
    if (words && event.target !== words.area) closeWords();
  });
  document.addEventListener("focusout", (event) => {
    const cell = cellOf(event.target);
    if (cell && event.target.tagName === "TEXTAREA") flush(cell);
  });
  document.addEventListener("dblclick", (event) => {
    const cell = cellOf(event.target);
    if (cell?.dataset.kind === "text" && event.target.closest(".prose")) write(cell);
  });
  document.addEventListener("click", async (event) => {
    const cell = cellOf(event.target);
    if (cell) choose(cell, false);
    if (event.target.closest("[data-help]")) document.getElementById("help").showModal();
    const node = event.target.closest("[data-node]");
    if (node) {
      document.getElementById("attach-node").value = node.dataset.node;
      document.getElementById("attach-cookie").focus();
    }
    const rest = event.target.closest("[data-rest]");
    if (rest) {
      event.preventDefault();
      await showRest(rest);
    }
  });

  const showRest = async (link) => {
    const response = await fetch(link.href, { headers: { accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("rest");
    const place = document.getElementById(link.dataset.rest);
    if (!fresh || !place) return;
    // It stays until the cell is evaluated again, which shows another element.
    place.replaceChildren(...document.importNode(fresh, true).childNodes);
    link.parentElement.remove();
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!root().contains(form) || form.method !== "post") return;
    const button = event.submitter;
    const address = new URL(button?.getAttribute("formaction") || form.getAttribute("action"), window.location.href);
    const action = Object.entries(root().dataset).find(([, path]) => path === address.pathname)?.[0];
    if (!action) return;
    event.preventDefault();
    if (button?.dataset.ask && !window.confirm(button.dataset.ask)) return;
    const cell = cellOf(form);
    const fields = Object.fromEntries(new FormData(form).entries());
    delete fields.form_token;
    fields.do = button?.value || fields.do;
    if (action === "runtime") form.reset();
    if (cell && fields.do === "run") return run(cell);
    if (cell && fields.do === "source") return leave(cell);
    if (cell && fields.do === "delete") return remove(cell);
    if (cell) await flush(cell);
    delete fields.source;
    const answer = await post(action, fields);
    if (answer && form.matches(".asks")) ranId = cell.id;
    if (answer?.see && fields.do === "close") window.location.assign(answer.see);
    if (answer && /^insert-(code|text)$/.test(fields.do)) await look(answer.cell);
    form.closest("details.menu, details.rename")?.removeAttribute("open");
  });

  const sortable = (table) => {
    table.dataset.ready = "";
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const isDown = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
        const value = (row) => row.cells[column].textContent;
        const compare = new Intl.Collator(undefined, { numeric: true }).compare;
        const rows = [...table.tBodies[0].rows].sort((one, other) => compare(value(one), value(other)));
        table.tBodies[0].append(...(isDown ? rows.reverse() : rows));
      });
    });
  };

  // What has been written goes with the page.
  window.addEventListener("pagehide", () => {
    for (const cell of cells()) if (areaOf(cell)) flush(cell, { keepalive: true });
  });
  document.addEventListener("beamline:shown", settle);
  settle();
})();
