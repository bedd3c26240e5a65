// What stands behind a cell: its seeds, parameters, provenance, curves and embedding.

const RUN = Object.fromEntries(DATA.runs.columns.map((name, place) => [name, place]));
const box = document.querySelector("dialog");
let opener = null;

function openCell(place, trigger) {
  opener = { place, trigger };
  const [entry, dataset, detail, folder, runs] = DATA.runs.cells[place];
  const title = `${DATA.entries[entry].name} on ${DATA.datasets[dataset].name}`;
  const close = el("button", { type: "button", class: "close", onclick: () => box.close() }, "Close");
  box.replaceChildren(
    el("div", { class: "dialog-head" }, el("h2", { id: "dialog-title", tabindex: "-1" }, title), close),
    el("p", {}, `${DATA.datasets[dataset].about}. Runs that are ok of all, clusters given/found: ${detail}.`),
    seedTable(runs, folder),
    ...reasons(runs),
    ...drawings(place, dataset),
    ...settings(runs),
    ...origins(runs),
  );
  box.showModal();
  box.scrollTop = 0;
  box.querySelector("h2").focus();
}

box.addEventListener("close", () => {
  const { place, trigger } = opener ?? {};
  const back = trigger?.isConnected ? trigger : document.querySelector(`[data-cell="${place}"]`);
  back?.focus();
  box.replaceChildren();
});
box.addEventListener("click", (event) => {
  if (event.target === box) box.close(); // the area around the dialog
});

function seedTable(runs, folder) {
  const measures = DATA.order.map((name) => DATA.measures.find((one) => one.name === name));
  const hasBest = runs.some((run) => run[RUN.best]);
  const number = (name, first = "descending") => ({ name, numeric: true, first });
  const columns = [number("seed", "ascending"), { name: "status" }, ...measures.map((one) => number(one.title, one.higher ? "descending" : "ascending")),
    number("K found"), ...(hasBest ? ["best epoch", "best ACC (%)", "best NMI (%)", "best ARI (%)"].map((name) => number(name)) : []),
    { name: "code" }, { name: "started" }, { name: "key" }];
  const rows = runs.map((run) => [
    { text: String(run[RUN.seed]), numeric: true },
    { text: run[RUN.status], mark: run[RUN.status] === "ok" ? "" : "bad" },
    ...measures.map((one, place) => ({ text: measured(run[RUN.measures][place], one), value: run[RUN.measures][place] ?? NaN, numeric: true })),
    { text: run[RUN.k_found] === null ? "" : String(run[RUN.k_found]), numeric: true },
    ...(hasBest ? [0, 1, 2, 3].map((part) => ({ text: bestOf(run, part), numeric: true })) : []),
    { text: DATA.runs.origins[run[RUN.origin]]?.code ?? "" },
    { text: run[RUN.started] },
    { text: run[RUN.key], node: () => el("code", {}, run[RUN.key]) },
  ]);
  const note = `Records: ${folder}/ and the first 16 letters of the key, in the store.` +
    (hasBest ? " Best epoch: by the true labels; it shows a gap and enters no comparison." : "");
  return table({ id: "seeds", caption: "Seeds", columns, rows, whole: true, note });
}

function bestOf(run, part) {
  const value = run[RUN.best]?.[part];
  return value === undefined || value === null ? "" : part === 0 ? String(value) : (100 * value).toFixed(1);
}

function reasons(runs) {
  const failed = runs.filter((run) => run[RUN.status] !== "ok");
  if (failed.length === 0) return [];
  return [el("h3", {}, "Failed runs"), ...failed.map((run) => {
    const log = DATA.runs.tracebacks[run[RUN.traceback]];
    return el("details", { open: failed.length === 1 },
      el("summary", {}, `seed ${run[RUN.seed]}, ${run[RUN.status]}: ${DATA.runs.reasons[run[RUN.reason]] ?? ""}`),
      el("pre", {}, log ?? "No traceback here; see the run's record.json and run.log."));
  })];
}

function drawings(place, dataset) {
  const parts = [];
  const logged = DATA.histories.cells[place];
  parts.push(el("h3", {}, "Learning curves"));
  if (logged) parts.push(...curves(logged, DATA.histories.n_points), el("p", { class: "note" }, `A line per seed, sampled.${DATA.histories.left_out ? ` Here: ${DATA.histories.left_out}.` : ""}`));
  else parts.push(el("p", {}, "No curves: history.csv of these runs is empty, missing or damaged, or is not kept in this store."));
  const one = DATA.points.cells[place];
  parts.push(el("h3", {}, "Embedding and clusters"));
  if (!one) return [...parts, el("p", {}, "No clusters to draw: labels.npy of these runs is missing or damaged, or is not kept in this store.")];
  const types = one.matched ? DATA.points.types[DATA.datasets[dataset].name] : null;
  if (one.points) {
    const how = { umap: "UMAP", tsne: "t-SNE", pca: "the first two principal components" }[one.layout];
    const shown = bytes(one.points).length / 3;
    parts.push(embedding(one, types), el("p", { class: "note" }, `Stored latent of seed ${one.seed} by ${how}; ${shown} of ${one.n} cells.` +
      (types ? " A cluster has the colour of the type it is matched to; grey: none." : " The command's details=NAME adds annotated types.")));
  } else parts.push(el("p", {}, `No embedding: embedding.npy of seed ${one.seed} is missing, damaged or too narrow, or is not kept in this store.`));
  parts.push(clusterTable(one, types));
  if (one.confusion && types) parts.push(confusionTable(one, types));
  return parts;
}

function grouped(runs, column) {
  const groups = new Map();
  for (const run of runs) groups.set(run[column], [...(groups.get(run[column]) ?? []), run[RUN.seed]]);
  return [...groups];
}

function settings(runs) {
  const parts = grouped(runs, RUN.setting).map(([place, seeds], _, all) =>
    {
    const { parameters, ...rest } = DATA.runs.settings[place];
    return facts("Parameters", all.length > 1 ? seeds : null, { ...rest, ...parameters });
  });
  const told = grouped(runs, RUN.info).filter(([place]) => place !== null);
  parts.push(...told.map(([place, seeds]) => facts("What the method reported", seeds, DATA.runs.infos[place])));
  return parts;
}

function origins(runs) {
  return grouped(runs, RUN.origin).map(([place, seeds], _, all) => {
    const { provenance, ...rest } = DATA.runs.origins[place];
    return facts("Provenance", all.length > 1 ? seeds : null, { ...rest, ...provenance });
  });
}

function facts(title, seeds, values) {
  const about = seeds ? ` (seed ${seeds.join(", ")})` : "";
  const lines = flat(values ?? {}).map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text)));
  return el("details", { open: !seeds }, el("summary", {}, el("h3", {}, title + about)), el("dl", {}, lines));
}

function flat(value, prefix = "") {
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = prefix + name;
    if (inner !== null && typeof inner === "object" && !Array.isArray(inner)) return flat(inner, `${path}.`);
    return [[path, Array.isArray(inner) ? inner.join(" ") : inner === null ? "none" : String(inner)]];
  });
}
