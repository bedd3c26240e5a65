// The parts of the page, drawn from the document and from what the reader chose.

const PRINTED_COLUMNS = 6;
const state = { measure: DATA.measures[0].name, query: "", noMethods: new Set(), noDatasets: new Set(), shade: false, detail: true, turned: false, printing: false };

function section(id, title, ...children) {
  return el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), ...children);
}

function chosen() {
  return DATA.measures.find((one) => one.name === state.measure);
}

function overview() {
  return section("about", "How to read this",
    el("ol", { class: "protocol" }, DATA.protocol.map((text) => el("li", {}, text))),
    DATA.notes.map(note));
}

// One sentence; a long one is folded behind what stands before its first bracket.
function note(text) {
  const whole = `${text[0].toUpperCase()}${text.slice(1)}.`;
  const bracket = whole.indexOf(" (");
  if (whole.length < 160 || bracket < 0) return el("p", { class: "warning" }, whole);
  return el("details", { class: "warning" }, el("summary", {}, whole.slice(0, bracket)), whole);
}

function grids() {
  const measure = chosen();
  return measure.grids.flatMap((grid, number) => {
    const shown = grid.columns.map((name, place) => [name, place]).filter(([name]) => !state.noDatasets.has(name));
    const rows = grid.rows.filter(([name, owner]) =>
      !(owner >= 0 && state.noMethods.has(owner)) && name.toLowerCase().includes(state.query.toLowerCase()));
    const across = state.turned ? rows : shown; // what becomes columns
    const step = state.printing ? PRINTED_COLUMNS : Math.max(across.length, 1);
    const pieces = [];
    for (let start = 0; start === 0 || start < across.length; start += step) {
      const piece = across.slice(start, start + step);
      const id = `grid-${number}${start ? `-${start}` : ""}`;
      pieces.push(state.turned ? gridTable(measure, grid, id, shown, piece) : gridTable(measure, grid, id, piece, rows));
    }
    return pieces;
  });
}

function gridTable(measure, grid, id, shown, rows) {
  const number = (name) => ({ name, numeric: true, first: measure.higher ? "descending" : "ascending", about: aboutDataset(name) });
  const shades = state.shade ? shadesOf(measure, grid) : null;
  const hasSd = rows.some((row) => row[2].some(([text]) => text.includes(" ± ")));
  const cellOf = (row, place) => gridCell(row[2][place], shades?.[place], hasSd);
  const columns = state.turned ? [{ name: "dataset" }, ...rows.map(([name]) => number(name))] : [{ name: "method" }, ...shown.map(([name]) => number(name))];
  const lines = state.turned
    ? shown.map(([name, place]) => [{ text: name }, ...rows.map((row) => cellOf(row, place))])
    : rows.map((row) => [{ text: row[0] }, ...shown.map(([, place]) => cellOf(row, place))]);
  return table({ id, caption: `${measure.title}. ${grid.title}`, note: grid.note, columns, rows: lines, whole: true });
}

function aboutDataset(name) {
  return DATA.datasets.find((one) => one.name === name)?.about;
}

function gridCell([text, place, mark], shades, hasSd) {
  const value = numberOf(text);
  const marks = ["", "best", "second"][mark % 4];
  const isMixed = mark >= 4;
  const cell = { text, value, numeric: true, mark: [marks, Number.isNaN(value) ? "missing" : "", shades ? "shaded" : ""].join(" ").trim() };
  if (shades && !Number.isNaN(value)) cell.shade = shades(value);
  const node = () => {
    const [mean, sd] = text.split(" ± ");
    const inner = [el("span", { class: "mean" }, mean), Number.isNaN(value) || !hasSd ? null : el("span", { class: "sd" }, sd ? ` ± ${sd}` : ""),
      isMixed ? el("abbr", { title: "runs of more than one version of the code" }, "†") : null,
      marks ? el("span", { class: "unseen" }, ` ${marks}`) : null];
    if (place < 0) return el("span", { class: "value" }, inner);
    const detail = state.detail ? el("span", { class: "detail" }, DATA.runs.cells[place][2]) : null;
    return el("button", { type: "button", class: "cell", "data-cell": place, "aria-haspopup": "dialog", onclick: (event) => openCell(place, event.currentTarget) },
      el("span", { class: "value" }, inner), detail);
  };
  return { ...cell, node };
}

// Per dataset, how good a value is among those of the table, in percent of the shade.
function shadesOf(measure, grid) {
  return grid.columns.map((_, place) => {
    const values = grid.rows.map((row) => numberOf(row[2][place][0])).filter((value) => !Number.isNaN(value));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (value) => Math.round((45 * (measure.higher ? value - low : high - value)) / (high - low || 1));
  });
}

function statistics() {
  const results = DATA.statistics[state.measure];
  const said = DATA.said.map(note);
  if (!results) return [...said, el("p", {}, `No statistics of ${chosen().title} in this report: they are made for scores (ACC, NMI and the like), where two methods were run on a common dataset.`)];
  return [...said, ...results.flatMap((one, number) => [el("h3", {}, one.title[0].toUpperCase() + one.title.slice(1)), ...one.about.map((text) => el("p", {}, text)),
    el("p", {}, one.omnibus), plainTable(`ranks-${number}`, one.ranks),
    el("details", {}, el("summary", {}, `${one.pairs.caption}: ${one.pairs.rows.length}`), plainTable(`pairs-${number}`, one.pairs))])];
}

function failures() {
  const rows = DATA.runs.cells.flatMap(([entry, dataset, , , runs], place) => runs.filter((run) => run[RUN.status] !== "ok").map((run) => [
    { text: DATA.datasets[dataset].name },
    { text: DATA.entries[entry].name },
    { text: String(run[RUN.seed]), numeric: true },
    { text: run[RUN.status], mark: "bad" },
    { text: DATA.runs.reasons[run[RUN.reason]] ?? "", mark: "long" },
    { text: "runs", node: () => el("button", { type: "button", class: "cell", "data-cell": place, "aria-haspopup": "dialog",
      "aria-label": `runs of ${DATA.entries[entry].name} on ${DATA.datasets[dataset].name}`, onclick: (event) => openCell(place, event.currentTarget) }, "show") },
  ]));
  if (rows.length === 0) return el("p", {}, "No run failed.");
  const columns = [{ name: "dataset" }, { name: "method" }, { name: "seed", numeric: true }, { name: "status" }, { name: "reason" }, { name: "runs" }];
  return table({ id: "failed", caption: `Failed runs (${rows.length})`, columns, rows, filter: rows.length > 8 });
}

function figures() {
  return DATA.figures.map((one) => el("figure", { class: "picture paper" }, el("img", { src: one.address, alt: one.name }), el("figcaption", {}, one.name)));
}
