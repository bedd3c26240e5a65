// Draws the page and follows the reader's choices.

function drawScores() {
  document.getElementById("grids").replaceChildren(...grids());
}

function drawStatistics() {
  document.getElementById("stats").replaceChildren(...statistics());
}

function redraw() {
  drawScores();
  const rows = document.querySelectorAll("#grid-0 tbody tr").length;
  say(`${chosen().title}: ${rows} rows in the first table`);
}

function tick(name, key) {
  const change = (event) => { state[key] = event.target.checked; redraw(); };
  return el("label", {}, el("input", { type: "checkbox", checked: state[key], onchange: change }), ` ${name}`);
}

// Checkboxes for methods or datasets, with one button for all of them and one for none.
function choice(title, names, hidden, keyOf) {
  const summary = el("summary", {});
  const boxes = names.map((name, place) => {
    const change = (event) => { if (event.target.checked) hidden.delete(keyOf(place)); else hidden.add(keyOf(place)); count(); redraw(); };
    return el("input", { type: "checkbox", checked: true, onchange: change });
  });
  const count = () => { summary.textContent = `${title}: ${names.length - hidden.size} of ${names.length}`; };
  const all = (shown) => () => {
    names.forEach((_, place) => { if (shown) hidden.delete(keyOf(place)); else hidden.add(keyOf(place)); boxes[place].checked = shown; });
    count();
    redraw();
  };
  count();
  return el("details", { class: "choice" }, summary, el("fieldset", {}, el("legend", { class: "unseen" }, title),
    el("div", { class: "buttons" }, el("button", { type: "button", onclick: all(true) }, "all"), el("button", { type: "button", onclick: all(false) }, "none")),
    names.map((name, place) => el("label", {}, boxes[place], ` ${name}`))));
}

function controls() {
  const metric = el("select", { id: "metric", onchange: (event) => { state.measure = event.target.value; redraw(); drawStatistics(); } },
    DATA.measures.map((one) => el("option", { value: one.name }, one.title)));
  const query = el("input", { type: "search", id: "query", autocomplete: "off", oninput: (event) => { state.query = event.target.value; redraw(); } });
  const names = DATA.datasets.map((one) => one.name);
  return el("form", { class: "controls", "aria-label": "What the tables show", onsubmit: (event) => event.preventDefault() },
    el("label", {}, "Metric ", metric), el("label", {}, "Filter methods ", query),
    choice("Methods", DATA.entries.map((one) => one.name), state.noMethods, (place) => place),
    choice("Datasets", names, state.noDatasets, (place) => names[place]),
    tick("runs and K", "detail"), tick("shade by value", "shade"), tick("datasets as rows", "turned"));
}

function theme() {
  const select = document.getElementById("theme");
  const apply = () => { if (select.value) document.documentElement.dataset.theme = select.value; else delete document.documentElement.dataset.theme; };
  select.addEventListener("change", apply);
}

function start() {
  document.querySelector("h1").textContent = DATA.title;
  const main = document.querySelector("main");
  main.append(section("scores", "Scores", controls(),
    el("p", { class: "note" }, "Bold: best of a dataset; underlined: second; † runs of several versions of the code. Marks are those of the whole report, whatever is hidden. ",
      "Shades compare the methods of one dataset: the stronger, the better. A value opens its runs."),
    el("div", { id: "grids" })));
  drawScores();
  performance.mark("first table");
  main.prepend(overview());
  main.append(section("statistics", "Statistics across datasets", el("div", { id: "stats" })), section("failures", "Failed runs", failures()),
    ...(DATA.markers ? [section("markers", "Marker genes", markers())] : []),
    ...(DATA.gaps.rows.length ? [section("gaps", "Gaps under the papers' protocol", plainTable("gap-lines", DATA.gaps))] : []),
    ...(DATA.checks.rows.length ? [section("checks", "Printed numbers, checked", plainTable("check-lines", DATA.checks))] : []),
    ...(DATA.figures.length ? [section("figures", "Figures", el("div", { class: "pictures" }, figures()), el("p", { class: "note" }, (DATA.figures_left_out.length ? `No room here for: ${DATA.figures_left_out.join(", ")}. ` : "") + "All figures are in the folder figures/ beside this page."))] : []));
  drawStatistics();
  document.querySelector("nav").append(...[...main.querySelectorAll("section")].map((one) => el("a", { href: `#${one.id}` }, one.querySelector("h2").textContent)));
  theme();
}

function printing(value) {
  state.printing = value;
  drawScores();
}

addEventListener("beforeprint", () => printing(true));
addEventListener("afterprint", () => printing(false));
start();
document.documentElement.dataset.ready = "yes";
