"use strict";
// Shows the keys of the report: only the rows of one page are in the document, however many there are.
(function () {
  const FIELDS = ["account", "user", "user_id", "key", "status", "created", "age", "used", "service", "region",
    "decision", "rule", "until", "result", "error", "request", "at", "note"];
  const AT = Object.fromEntries(FIELDS.map((name, index) => [name, index]));
  // What an auditor looks for first.
  const WEIGHT = { delete: 7, disable: 6, skip: 5, wait: 4, warn: 3, exempt: 2, keep: 1 };
  const PAGE = 100;
  const PRINTED = 3000;

  const byId = (id) => document.getElementById(id);
  const rows = JSON.parse(byId("rows").textContent);
  const filters = ["decision", "result", "account"].map((name) => ({ name, at: AT[name], list: byId(name) }));
  const find = byId("find");
  const body = byId("body");
  const heads = Array.from(document.querySelectorAll("th[data-column]"));
  const number = (count) => count.toLocaleString("en");

  let sorted = rows.map((_, index) => index);
  let shown = sorted;
  let page = 0;
  let texts = null;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  // A cell of a main word and a smaller line below it.
  function cell(main, below, className, wordClass) {
    const made = element("td", className);
    if (main) made.append(wordClass ? element("span", wordClass, main) : main);
    if (below) made.append(element("small", "", below));
    return made;
  }

  const minute = (time) => (time ? time.slice(0, 10) + " " + time.slice(11, 16) : "");
  const days = (seconds) => (Math.floor(seconds / 8640) / 10).toFixed(1);

  function line(row) {
    const of = (name) => row[AT[name]];
    const made = document.createElement("tr");
    made.append(
      cell(of("account"), "", "account"),
      cell(of("user"), of("user_id"), "text"),
      cell(of("key"), of("status"), "id"),
      cell(minute(of("created")), "", "time"),
      cell(days(of("age")), "", "number"),
      cell(minute(of("used")), [of("service"), of("region")].filter(Boolean).join(", "), "time"),
      cell(of("decision"), of("rule"), "rule", "word " + of("decision")),
      cell(of("result"), of("until") ? "until " + minute(of("until")) : "", "", "word " + of("result")),
      cell(minute(of("at")), of("request"), "time request"),
      cell(of("error"), of("note"), "text", "bad"),
    );
    return made;
  }

  function put(indexes) {
    const lines = document.createDocumentFragment();
    for (const index of indexes) lines.append(line(rows[index]));
    body.replaceChildren(lines);
  }

  function draw() {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const from = page * PAGE;
    const to = Math.min(from + PAGE, shown.length);
    put(shown.slice(from, to));
    const range = shown.length ? number(from + 1) + " to " + number(to) + " of " : "";
    const all = shown.length === rows.length ? "" : " (" + number(rows.length) + " in all)";
    byId("shown").textContent = "Keys " + range + number(shown.length) + all;
    byId("page").textContent = "Page " + number(page + 1) + " of " + number(pages);
    byId("first").disabled = byId("previous").disabled = page === 0;
    byId("next").disabled = byId("last").disabled = page === pages - 1;
    byId("pages").hidden = pages === 1;
  }

  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = filters.filter((one) => one.list.value !== "").map((one) => [one.at, one.list.value]);
    if (words.length && !texts) texts = rows.map((row) => row.join(" ").toLowerCase());
    shown = words.length + wanted.length === 0 ? sorted : sorted.filter((index) =>
      wanted.every(([at, value]) => rows[index][at] === value) && words.every((word) => texts[index].includes(word)));
    page = 0;
    draw();
  }

  function value(column) {
    if (column === "decision") return (row) => (row[AT.error] ? 9 : WEIGHT[row[AT.decision]] || 8);
    if (column === "note") return (row) => row[AT.error] || row[AT.note] || "";
    return (row) => row[AT[column]] || (column === "age" ? 0 : "");
  }

  function sort(column, descending) {
    const keys = rows.map(value(column));
    const sign = descending ? -1 : 1;
    sorted = rows.map((_, index) => index);
    sorted.sort((a, b) => (keys[a] < keys[b] ? -sign : keys[a] > keys[b] ? sign : a - b));
    for (const head of heads) {
      if (head.dataset.column !== column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    }
    filter();
  }

  function fill() {
    const names = new Map(Array.from(document.querySelectorAll("#accounts tbody tr"),
      (row) => [row.cells[0].textContent, row.cells[1].textContent]));
    for (const { at, list } of filters) {
      const counts = new Map();
      for (const row of rows) counts.set(row[at], (counts.get(row[at]) || 0) + 1);
      for (const word of Array.from(counts.keys()).sort()) {
        const name = at === AT.account && names.get(word) ? " " + names.get(word) : "";
        const option = element("option", "", word + name + " (" + number(counts.get(word)) + ")");
        option.value = word;
        list.append(option);
      }
    }
  }

  // On paper: what the filters show, or without a filter everything that is not plainly kept.
  function beforePrint() {
    const filtered = shown !== sorted;
    const all = filtered ? shown : sorted.filter((index) => rows[index][AT.decision] !== "keep");
    put(all.slice(0, PRINTED));
    const kept = filtered ? 0 : rows.length - all.length;
    const said = ["Keys printed: " + number(Math.min(all.length, PRINTED)) + " of " + number(rows.length) + "."];
    if (filtered) said.push("A filter is set: only what it shows is printed.");
    if (kept) said.push(number(kept) + " keys with the decision keep are left out.");
    if (all.length > PRINTED) said.push(number(all.length - PRINTED) + " more are left out for length.");
    const others = byId("left-out").dataset.others;
    if (said.length > 1) said.push(others ? "All are in " + others + "." : "All are on this page, seen in a browser.");
    byId("left-out").textContent = said.join(" ");
  }

  function copy() {
    const list = byId("undo-list");
    const told = (how) => { byId("copied").textContent = how; };
    const select = () => {
      getSelection().selectAllChildren(list);
      told(document.execCommand("copy") ? "Copied." : "Selected: copy it with the keyboard.");
    };
    if (!navigator.clipboard) return select();
    navigator.clipboard.writeText(list.textContent).then(() => told("Copied."), select);
  }

  const clicked = (id, then) => byId(id).addEventListener("click", then);
  const turn = (to) => () => { page = to(); draw(); };
  clicked("first", turn(() => 0));
  clicked("previous", turn(() => page - 1));
  clicked("next", turn(() => page + 1));
  clicked("last", turn(() => Infinity));
  clicked("clear", () => {
    find.value = "";
    for (const { list } of filters) list.value = "";
    filter();
  });
  find.addEventListener("input", filter);
  for (const { list } of filters) list.addEventListener("change", filter);
  for (const head of heads) {
    // Dates and numbers are looked at from their large end.
    const large = ["age", "decision", "used", "at"].includes(head.dataset.column);
    head.firstElementChild.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      sort(head.dataset.column, before ? before === "ascending" : large);
    });
  }
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", draw);
  if (byId("copy")) {
    byId("copy").hidden = false;
    clicked("copy", copy);
  }
  byId("filters").hidden = byId("table").hidden = false;
  fill();
  sort("decision", true);
})();
