// Small drawings of what runs stored: learning curves, embeddings, confusion tables.

const SIDE = 300;

function curves(logged, nPoints) {
  const drawn = logged.filter((one) => one.name !== undefined);
  const rest = logged.filter((one) => one.left_out).map((one) => el("p", { class: "note" }, `${one.left_out}.`));
  return [el("div", { class: "plots" }, drawn.map((one) => curve(one, nPoints))), ...rest];
}

function curve(one, nPoints) {
  const [left, right, top, bottom] = [6, 254, 8, 92];
  const lines = Object.entries(one.lines).map(([seed, text]) => {
    const values = bytes(text);
    const at = Array.from({ length: nPoints }, (_, i) =>
      [left + (values[i] / 255) * (right - left), bottom - (values[nPoints + i] / 255) * (bottom - top)].map((v) => v.toFixed(1)).join(","));
    return shape("polyline", { points: at.join(" "), class: "line" }, shape("title", {}, `seed ${seed}`));
  });
  const [low, high] = [shortNumber(one.low), shortNumber(one.high)];
  const about = `${one.name} from epoch ${one.epochs[0]} to ${one.epochs[1]}, between ${low} and ${high}, ${lines.length} seeds`;
  return el("figure", { class: "plot" },
    el("figcaption", {}, el("b", {}, one.name), ` ${low} to ${high}${one.log ? ", log axis" : ""}`),
    shape("svg", { viewBox: "0 0 260 112", role: "img", "aria-label": about },
      shape("path", { d: `M${left} ${top}V${bottom}H${right}`, class: "axis" }), lines,
      shape("text", { x: left, y: 107 }, `epoch ${one.epochs[0]}`),
      shape("text", { x: right, y: 107, "text-anchor": "end" }, String(one.epochs[1]))));
}

function colour(place) {
  const last = DATA.colours.length - 1; // of what belongs to no type
  return DATA.colours[place < 0 || place >= last ? last : place];
}

function embedding(one, types) {
  const values = bytes(one.points);
  const n = values.length / 3;
  const clusters = values.subarray(2 * n);
  const ofCluster = one.names.map((_, place) => colour(one.matched ? one.matched[place] : place));
  const panels = [panel(values, n, one.ends, clusters, ofCluster, one.names, "found clusters")];
  if (types && one.types) {
    const kinds = bytes(one.types);
    const numbers = types.map((_, place) => String(place + 1));
    panels.unshift(panel(values, n, one.ends, kinds, types.map((_, place) => colour(place)), numbers, "annotated types"));
  }
  return el("div", { class: "plots wide" }, panels);
}

function panel(values, n, ends, codes, colours, names, title) {
  const scale = SIDE / 255;
  const height = Math.max(ends[1] * scale, 60);
  const right = (SIDE - ends[0] * scale) / 2; // a narrow cloud stands in the middle
  const places = Array.from({ length: n }, (_, i) => [right + values[i] * scale, height - values[n + i] * scale]);
  const dots = places.map(([x, y], i) =>
    shape("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: n > 400 ? 2 : 2.6, fill: colours[codes[i]] ?? colour(-1) }));
  const marks = apart(names.map((name, code) => {
    const mine = places.filter((_, i) => codes[i] === code);
    if (mine.length === 0) return null;
    const [x, y] = [0, 1].map((axis) => mine.map((at) => at[axis]).sort((a, b) => a - b)[mine.length >> 1]);
    const far = (at) => (at[0] - x) ** 2 + (at[1] - y) ** 2; // the cell nearest to the median: there is one
    const middle = mine.reduce((best, at) => (far(at) < far(best) ? at : best));
    return { name, x: middle[0], y: middle[1] - 10, width: 7 * name.length + 3 };
  }).filter((mark) => mark !== null)).map(({ name, x, y }) =>
    shape("text", { x: x.toFixed(1), y: (y + 4).toFixed(1), "text-anchor": "middle", class: "mark" }, name));
  return el("figure", { class: "plot paper" }, el("figcaption", {}, el("b", {}, title)),
    shape("svg", { viewBox: `-12 -18 ${SIDE + 24} ${height + 26}`, role: "img", "aria-label": `${title} of ${n} cells in two dimensions` }, dots, marks));
}

// Moves names that would lie on others, along a spiral, to the first free place.
function apart(marks) {
  const placed = [];
  const isFree = (one) => placed.every((other) => Math.abs(one.x - other.x) > (one.width + other.width) / 2 || Math.abs(one.y - other.y) > 12);
  for (const mark of marks) {
    let at = mark;
    for (let turn = 1; !isFree(at) && turn < 400; turn += 1) {
      const [far, angle] = [1.6 * Math.sqrt(turn), 2.4 * turn];
      at = { ...mark, x: mark.x + far * Math.cos(angle), y: mark.y + far * Math.sin(angle) };
    }
    placed.push(at);
  }
  return placed;
}

function swatch(place) {
  return el("span", { class: "swatch", "aria-hidden": "true", "--fill": colour(place) });
}

function clusterTable(one, types) {
  const columns = [{ name: "cluster" }, { name: "cells", numeric: true, first: "descending" }];
  if (one.matched && types) columns.push({ name: "matched type" });
  const rows = one.names.map((name, place) => {
    const kind = one.matched ? one.matched[place] : place;
    const row = [{ text: name, node: () => [swatch(kind), name] }, { text: String(one.sizes[place]), numeric: true }];
    if (one.matched && types) row.push({ text: kind < 0 ? "none" : types[kind] });
    return row;
  });
  return table({ id: "clusters", caption: `Clusters of seed ${one.seed}`, columns, rows });
}

function confusionTable(one, types) {
  const columns = [{ name: "type" }, ...one.names.map((name) => ({ name, numeric: true, first: "descending" }))];
  const rows = one.confusion.map((counts, kind) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const cells = counts.map((count) => ({ text: count ? String(count) : "", value: count, numeric: true, mark: "shaded", shade: Math.round((45 * count) / Math.max(total, 1)) }));
    return [{ text: types[kind] }, ...cells];
  });
  return table({ id: "confusion", caption: `Types (rows) in clusters (columns) of seed ${one.seed}, cells`, columns, rows, note: "The stronger the shade, the larger the part of the type." });
}
