// Tables that sort by any column and filter by text. Missing values stand last in either direction.

const ROWS_SHOWN = 200;
const LONG = 60; // letters of a text that may break
const sorts = new Map(); // by table: column and direction; kept while the table is drawn anew
const filters = new Map(); // by table: what to look for
const wide = new Set(); // tables whose rows are all shown

// spec: {id, caption, note, columns: [{name, about, numeric, first}], rows: [[{text, value, node, mark, shade}]]}
function table(spec) {
  const holder = el("div", { class: "table", id: spec.id });
  fill(holder, spec);
  return holder;
}

function fill(holder, spec, focusOn = null) {
  const rows = ordered(spec).filter((row) => matches(spec, row));
  const shown = wide.has(spec.id) || spec.whole ? rows : rows.slice(0, ROWS_SHOWN);
  const region = holder.querySelector(".scroll");
  const [left, top] = region ? [region.scrollLeft, region.scrollTop] : [0, 0];
  holder.replaceChildren();
  if (spec.filter) holder.append(filterBox(holder, spec));
  const again = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": spec.caption },
    el("table", {}, el("caption", {}, el("span", {}, spec.caption)), el("thead", {}, headRow(holder, spec)), el("tbody", {}, shown.map(bodyRow))));
  holder.append(again);
  if (rows.length === 0) holder.append(el("p", { class: "note" }, "No row matches."));
  if (shown.length < rows.length) {
    const all = () => { wide.add(spec.id); fill(holder, spec); say(`all ${rows.length} rows are shown`); };
    holder.append(el("button", { type: "button", class: "more", onclick: all }, `Show all ${rows.length} rows`));
  }
  if (spec.note) holder.append(el("p", { class: "note" }, spec.note));
  again.scrollLeft = left;
  again.scrollTop = top;
  if (focusOn !== null) holder.querySelectorAll("th button.sort")[focusOn]?.focus({ preventScroll: true });
}

function headRow(holder, spec) {
  const by = sorts.get(spec.id);
  return el("tr", {}, spec.columns.map((column, place) => {
    const direction = by && by.column === column.name ? by.direction : "none";
    const arrow = { ascending: "▲", descending: "▼", none: "↕" }[direction];
    return el("th", { scope: "col", "aria-sort": direction, class: column.numeric ? "number" : null, title: column.about },
      el("button", { type: "button", class: "sort", onclick: () => turn(holder, spec, place) },
        el("span", { class: "name" }, breakable(column.name)), el("span", { class: "arrow", "aria-hidden": "true" }, arrow)));
  }));
}

// Long names may break after an underscore, so that columns stay as narrow as their numbers.
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, el("wbr")]).slice(0, -1);
}

// One click: the telling direction first (largest score, smallest time); a second: the other; a third: as it was.
function turn(holder, spec, place) {
  const column = spec.columns[place];
  const first = column.first ?? "ascending";
  const second = first === "ascending" ? "descending" : "ascending";
  const by = sorts.get(spec.id);
  const was = by && by.column === column.name ? by.direction : null;
  if (was === null) sorts.set(spec.id, { column: column.name, direction: first });
  else if (was === first) sorts.set(spec.id, { column: column.name, direction: second });
  else sorts.delete(spec.id);
  fill(holder, spec, place);
  say(sorts.has(spec.id) ? `${spec.caption}: sorted by ${column.name}, ${sorts.get(spec.id).direction}` : `${spec.caption}: original order`);
}

function ordered(spec) {
  const by = sorts.get(spec.id);
  const place = by ? spec.columns.findIndex((column) => column.name === by.column) : -1;
  if (place < 0) return spec.rows;
  const sign = by.direction === "ascending" ? 1 : -1;
  return [...spec.rows].sort((one, other) => {
    const [a, b] = [one[place], other[place]];
    if (!spec.columns[place].numeric) return sign * a.text.localeCompare(b.text, "en", { numeric: true });
    const [x, y] = [a.value ?? numberOf(a.text), b.value ?? numberOf(b.text)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return sign * (x - y);
  });
}

function matches(spec, row) {
  const wanted = (filters.get(spec.id) ?? "").toLowerCase();
  return wanted === "" || row.some((cell) => cell.text.toLowerCase().includes(wanted));
}

function filterBox(holder, spec) {
  const change = (event) => {
    filters.set(spec.id, event.target.value);
    const at = event.target.selectionStart;
    fill(holder, spec);
    const box = holder.querySelector("input[type=search]");
    box.focus();
    box.setSelectionRange(at, at);
    say(`${holder.querySelectorAll("tbody tr").length} rows match`);
  };
  return el("label", { class: "filter" }, "Filter rows ",
    el("input", { type: "search", value: filters.get(spec.id) ?? "", oninput: change, autocomplete: "off" }));
}

function bodyRow(row) {
  return el("tr", {}, row.map((cell, place) => {
    const about = { class: [cell.numeric ? "number" : "", cell.mark ?? ""].join(" ").trim() || null };
    if (cell.shade !== undefined) about["--shade"] = `${cell.shade}%`;
    const content = cell.node ? cell.node() : cell.text;
    return place === 0 ? el("th", { ...about, scope: "row" }, content) : el("td", about, content);
  }));
}

// A table of lines of text, as the document holds those of statistics, gaps and checks.
function plainTable(id, lines) {
  const columns = lines.columns.map((name, place) => {
    const numeric = place > 0 && isNumeric(lines.rows.map((row) => row[place]));
    return { name, numeric, first: numeric ? "descending" : "ascending" };
  });
  const rows = lines.rows.map((row) => row.map((text, place) => ({ text, numeric: columns[place].numeric, mark: text.length > LONG ? "long" : "" })));
  return table({ id, caption: lines.caption, note: lines.note, columns, rows, filter: rows.length > 8 });
}
