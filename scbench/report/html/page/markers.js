// Marker genes: means for all methods, and the clusters of one method on one dataset at a time.

function markers() {
  const found = DATA.markers;
  const [first, ...rest] = found.sentences;
  const parts = [el("p", {}, rest[0]), el("details", {}, el("summary", {}, "How markers and overlaps are made"), [first, ...rest.slice(1)].map((text) => el("p", {}, text)))];
  if (found.means.rows.length > 0) parts.push(meansTable(found.means));
  if (found.left_out.length > 0) parts.push(el("details", {}, el("summary", {}, `Left out: ${found.left_out.length}`), el("ul", {}, found.left_out.map((text) => el("li", {}, text)))));
  if (found.cut) parts.push(el("p", { class: "note" }, found.cut));
  if (found.datasets.length > 0) parts.push(...markerChoice(found.datasets));
  return parts;
}

// A mean may have its number of clusters behind it, so its column is said to be one of numbers.
function meansTable(means) {
  const columns = means.columns.map((name, place) => ({ name, numeric: place > 0, first: place > 0 ? "descending" : "ascending" }));
  const rows = means.rows.map((row) => row.map((text, place) => ({ text, numeric: place > 0 })));
  return table({ id: "marker-means", caption: means.caption, columns, rows, note: means.note, whole: true });
}

// Only what is chosen is drawn; a method stays chosen when the dataset changes.
function markerChoice(datasets) {
  const holder = el("div", { id: "marker-clusters" });
  const method = el("select", { id: "marker-method", onchange: () => draw() });
  const dataset = el("select", { id: "marker-dataset", onchange: () => change() }, datasets.map((one, place) => el("option", { value: place }, one.name)));
  const draw = () => {
    const one = datasets[dataset.value].groupings[method.value];
    holder.replaceChildren(...(one ? markerTables(datasets[dataset.value], one) : []));
    if (one) say(`markers of ${one.name} on ${datasets[dataset.value].name}`);
  };
  const change = () => {
    const names = datasets[dataset.value].groupings.map((one) => one.name);
    const before = method.selectedOptions[0]?.textContent;
    method.replaceChildren(...names.map((name, place) => el("option", { value: place }, name)));
    method.value = Math.max(names.indexOf(before), 0);
    draw();
  };
  change();
  return [el("form", { class: "controls", "aria-label": "Whose markers are shown", onsubmit: (event) => event.preventDefault() },
    el("label", {}, "Dataset ", dataset), el("label", {}, "Method ", method)), holder];
}

function markerTables(dataset, one) {
  const share = (count) => (100 * count / one.n_top).toFixed(0);
  const columns = [{ name: "cluster" }, { name: "cells", numeric: true, first: "descending" },
    ...(one.best ? [{ name: "best type" }, { name: "shared (%)", numeric: true, first: "descending" }] : []), { name: "best markers" }];
  const rows = one.clusters.map(([name, size, genes], place) => [{ text: name }, { text: String(size), numeric: true },
    ...(one.best ? [{ text: dataset.types[one.best[place]] ?? "none" }, { text: share(one.best_shared[place]), numeric: true }] : []),
    geneCell(genes.map((gene) => dataset.genes[gene]).join(", "))]);
  const seed = one.seed === null ? "" : `, seed ${one.seed}`;
  const parts = [table({ id: "marker-table", caption: `Best markers of ${one.name} on ${dataset.name}${seed}`, columns, rows, note: one.untested, filter: rows.length > 8 })];
  if (one.shared) parts.push(overlapDetails(dataset, one, share));
  return parts;
}

function geneCell(text) {
  return { text, node: () => el("span", { class: "genes" }, text) };
}

// The table of all types is drawn when it is first opened.
function overlapDetails(dataset, one, share) {
  const caption = `Share (%) of the ${one.n_top} best markers of each cluster (columns) among those of each type (rows)`;
  const columns = [{ name: "type" }, ...one.clusters.map(([name]) => ({ name, numeric: true, first: "descending" }))];
  const draw = (event) => {
    if (!event.target.open || event.target.querySelector("table")) return;
    const rows = dataset.types.map((type, kind) => [{ text: type }, ...one.shared.map((counts) => {
      const count = counts[kind];
      return { text: count ? share(count) : "", value: count, numeric: true, mark: "shaded", shade: Math.round((45 * count) / one.n_top) };
    })]);
    event.target.append(table({ id: "marker-overlap", caption, columns, rows, whole: true }));
  };
  return el("details", { id: "marker-types", ontoggle: draw }, el("summary", {}, "Overlap with every annotated type"));
}
