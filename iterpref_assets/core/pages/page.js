"use strict";
(() => {
  const index = JSON.parse(document.getElementById("index").textContent);
  const { names, notes, tones, facets, per_chunk: perChunk } = index;
  const ROW = 48, MARGIN = 8, BESIDE = 3;
  const WORDS = { g: "good", b: "bad", p: "plain" };
  const SIGNS = { "-": "minus", "+": "plus" };
  const narrow = matchMedia("(max-width: 760px)");
  const at = (id) => document.getElementById(id);
  const list = at("list"), rows = at("rows"), detail = at("detail"), search = at("search");
  const count = at("count");

  // Everything is put on the page as text: a program is never read as markup.
  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // The chunks follow this script, so that the list is there before they are.
  const loaded = new Promise((done) => {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", done);
    else done();
  });
  const unpacked = new Map();
  const unpack = async (number) => {
    await loaded;
    const packed = document.getElementsByClassName("chunk")[number].textContent;
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };
  const chunk = (number) => {
    if (!unpacked.has(number)) unpacked.set(number, unpack(number));
    return unpacked.get(number);
  };
  const blocksOf = async (entry) => {
    const found = await chunk(Math.floor(entry / perChunk));
    return found[entry % perChunk];
  };

  // What is shown: the numbers of the entries that the filters and the search leave.
  let shown = [], selected = -1, hits = null;
  const picked = facets.map(() => -1);

  const apply = () => {
    shown = [];
    for (let entry = 0; entry < names.length; entry++) {
      if (hits && !hits[entry]) continue;
      if (facets.every((facet, n) => picked[n] < 0 || facet.of[entry].includes(picked[n])))
        shown.push(entry);
    }
    rows.style.height = `${shown.length * ROW}px`;
    paint();
  };
  const tell = (words = "") => {
    const said = `${shown.length.toLocaleString("en")} of ${names.length.toLocaleString("en")}`;
    count.textContent = words ? `${said} · ${words}` : said;
  };

  const paint = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - MARGIN);
    const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / ROW) + 2 * MARGIN);
    rows.replaceChildren(...shown.slice(first, last).map((entry, n) => row(entry, first + n)));
    if (!shown.length) rows.replaceChildren(make("p", "empty", "Nothing matches."));
    if (shown.includes(selected)) list.setAttribute("aria-activedescendant", `row-${selected}`);
    else list.removeAttribute("aria-activedescendant");
  };
  const row = (entry, place) => {
    const made = make("div", `row ${WORDS[tones[entry]]}`);
    made.id = `row-${entry}`;
    made.title = names[entry];
    made.style.top = `${place * ROW}px`;
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", String(entry === selected));
    made.setAttribute("aria-setsize", shown.length);
    made.setAttribute("aria-posinset", place + 1);
    made.append(make("span", "", names[entry]), make("span", "note", notes[entry]));
    made.addEventListener("click", () => open(entry));
    return made;
  };
  const reveal = () => {
    const place = shown.indexOf(selected);
    if (place < 0) return;
    const top = place * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight)
      list.scrollTop = top + ROW - list.clientHeight;
  };

  const open = async (entry, { read = true } = {}) => {
    selected = entry;
    if (read) document.body.classList.add("reading");
    reveal();
    paint();
    history.replaceState(null, "", `#${encodeURIComponent(names[entry])}`);
    const blocks = await blocksOf(entry);
    if (entry === selected) show(entry, blocks);
  };
  const show = (entry, blocks) => {
    const back = make("button", "back", "Back to the list");
    back.type = "button";
    back.addEventListener("click", close);
    const parts = blocks.flatMap(([kind, ...rest]) => DRAW[kind](...rest));
    detail.replaceChildren(back, make("h2", "", names[entry]), ...parts);
    detail.scrollTop = 0;
  };
  const close = () => {
    document.body.classList.remove("reading");
    paint();
    reveal();
    list.focus();
  };

  const titled = (title, body) => (title ? [make("h4", "", title), body] : [body]);
  const sign = (mark, second) =>
    make("td", `sign ${SIGNS[mark] || ""} ${second ? "second" : ""}`, mark.trim());
  const line = (mark, text) => make("td", SIGNS[mark] || "", text);
  const grid = (columns) => {
    const table = make("table", "lines"), group = make("colgroup");
    for (let n = 0; n < columns; n++) group.append(make("col", "sign"), make("col"));
    table.append(group);
    return table;
  };
  // Lines that did not change stay folded, but for some beside those that did.
  const fold = (lines) => {
    const near = lines.map(() => false);
    lines.forEach(([mark], n) => {
      if (mark !== " ") near.fill(true, Math.max(0, n - BESIDE), n + BESIDE + 1);
    });
    const changed = near.includes(true), groups = [];
    lines.forEach((each, n) => {
      const hidden = changed && !near[n];
      if (groups.at(-1)?.hidden === hidden) groups.at(-1).lines.push(each);
      else groups.push({ hidden, lines: [each] });
    });
    return groups;
  };
  const draw = (made, width, marked, drawn) => {
    const body = make("tbody");
    const lines = marked.split("\n").map((each) => [each[0], each.slice(1)]);
    for (const group of fold(lines)) {
      const found = drawn(group.lines);
      if (group.hidden && found.length > 1) {
        const tr = make("tr"), cell = make("td", "fold");
        const button = make("button", "", `${found.length} lines that did not change`);
        cell.colSpan = width;
        button.type = "button";
        button.addEventListener("click", () => {
          tr.replaceWith(...found);
          detail.focus({ preventScroll: true });
        });
        cell.append(button);
        tr.append(cell);
        body.append(tr);
      } else body.append(...found);
    }
    made.append(body);
    return made;
  };
  const unified = (marked) =>
    draw(grid(1), 2, marked, (lines) =>
      lines.map(([mark, text]) => {
        const tr = make("tr");
        tr.append(sign(mark), line(mark, text));
        return tr;
      }),
    );
  const pairUp = (lines) => {
    const paired = [];
    let removed = [], added = [];
    const flush = () => {
      for (let n = 0; n < Math.max(removed.length, added.length); n++)
        paired.push([removed[n] ?? [" ", ""], added[n] ?? [" ", ""]]);
      removed = [];
      added = [];
    };
    for (const each of lines) {
      if (each[0] === "-") removed.push(each);
      else if (each[0] === "+") added.push(each);
      else {
        flush();
        paired.push([each, each]);
      }
    }
    flush();
    return paired;
  };
  const sides = (left, right, marked) => {
    const made = grid(2), head = make("thead"), titles = make("tr");
    for (const title of [left, right]) {
      const cell = make("th", "", title);
      cell.colSpan = 2;
      titles.append(cell);
    }
    head.append(titles);
    made.append(head);
    return draw(made, 4, marked, (lines) =>
      pairUp(lines).map(([old, come]) => {
        const tr = make("tr");
        tr.append(sign(old[0]), line(...old), sign(come[0], true), line(...come));
        return tr;
      }),
    );
  };
  const table = (columns, ...cells) => {
    const made = make("table", "facts"), width = Number(columns);
    for (let start = 0; start < cells.length; start += width) {
      const tr = make("tr");
      const isHead = start === 0;
      cells.slice(start, start + width).forEach((text, n) => {
        const cell = make(isHead || n === 0 ? "th" : "td", "", text);
        if (isHead || n === 0) cell.scope = isHead ? "col" : "row";
        tr.append(cell);
      });
      if (!isHead || cells.slice(0, width).some(Boolean)) made.append(tr);
    }
    return made;
  };
  const DRAW = {
    head: (text, badge, tone) => {
      const made = make("h3", "", text);
      if (badge) made.append(make("span", `badge ${tone}`, badge));
      return [made];
    },
    text: (title, text) => titled(title, make("pre", "", text)),
    code: (title, marked) => titled(title, unified(marked)),
    sides: (left, right, marked) =>
      narrow.matches ? titled(`-: ${left}. +: ${right}`, unified(marked)) : [sides(left, right, marked)],
    table: (...cells) => [table(...cells)],
  };
  const SEARCHED = {
    head: (rest) => [rest[1]],
    text: (rest) => [rest[1]],
    code: (rest) => [rest[1]],
    sides: (rest) => [rest[2]],
    table: (rest) => rest.slice(1),
  };

  // Searching unpacks every chunk once, so it goes on in steps and can be overtaken.
  let asked = 0;
  const look = async () => {
    const mine = ++asked, wanted = search.value.trim();
    if (!wanted) {
      hits = null;
      apply();
      tell();
      return;
    }
    const pattern = new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
    const found = new Uint8Array(names.length);
    for (let start = 0; start < names.length; start += perChunk) {
      const blocks = await chunk(start / perChunk);
      if (mine !== asked) return;
      blocks.forEach((each, n) => {
        const inside = ([kind, ...rest]) => SEARCHED[kind](rest).some((text) => pattern.test(text));
        found[start + n] = pattern.test(names[start + n]) || each.some(inside) ? 1 : 0;
      });
      if (start % (8 * perChunk) === 0) {
        const done = Math.round((100 * start) / names.length);
        count.textContent = `searching · ${done} %`;
        await new Promise((next) => setTimeout(next));
      }
    }
    if (mine !== asked) return;
    hits = found;
    list.scrollTop = 0;
    apply();
    tell();
  };
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 150);
  });

  const selects = facets.map((facet, number) => {
    const counts = facet.values.map(() => 0);
    for (const values of facet.of) for (const value of values) counts[value]++;
    const label = make("label", "", facet.name), select = make("select");
    select.append(make("option", "", "all"));
    facet.values.forEach((value, n) => {
      const option = make("option", "", `${value} (${counts[n].toLocaleString("en")})`);
      option.value = n;
      select.append(option);
    });
    select.firstChild.value = -1;
    select.addEventListener("change", () => {
      picked[number] = Number(select.value);
      list.scrollTop = 0;
      apply();
      tell();
    });
    label.append(select);
    if (facet.values.length > 1) at("clear").before(label);
    return select;
  });
  const clear = () => {
    search.value = "";
    picked.fill(-1);
    for (const select of selects) select.value = -1;
    look();
    list.focus();
  };
  at("clear").addEventListener("click", clear);

  const move = (step) => {
    if (!shown.length) return;
    const place = shown.indexOf(selected);
    const next = place < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, place + step));
    open(shown[next], { read: document.body.classList.contains("reading") });
  };
  const page = () => Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    "/": () => {
      document.body.classList.remove("reading");
      search.focus();
    },
    Escape: close,
  };
  const LIST_KEYS = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(page()),
    PageUp: () => move(-page()),
    Home: () => move(-names.length),
    End: () => move(names.length),
    Enter: () => {
      if (selected < 0) move(0);
      document.body.classList.add("reading");
      detail.focus();
    },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, select");
    const isList = !field && !event.target.closest("button, #detail");
    let act = field ? undefined : KEYS[event.key] || (isList && LIST_KEYS[event.key]);
    if (field === search && event.key === "Escape")
      act = () => {
        search.value = "";
        look();
        list.focus();
      };
    else if (field && event.key === "Escape") act = () => list.focus();
    if (field === search && (event.key === "ArrowDown" || event.key === "Enter"))
      act = () => {
        list.focus();
        move(0);
      };
    if (!act) return;
    event.preventDefault();
    act();
  });

  list.addEventListener("scroll", () => requestAnimationFrame(paint));
  addEventListener("resize", paint);
  narrow.addEventListener("change", () => selected >= 0 && open(selected, { read: false }));
  const goTo = () => {
    const wanted = names.findIndex((name) => `#${encodeURIComponent(name)}` === location.hash);
    if (wanted >= 0) open(wanted);
    else if (names.length && !narrow.matches) open(0, { read: false });
  };
  addEventListener("hashchange", goTo);
  apply();
  tell();
  goTo();
})();
