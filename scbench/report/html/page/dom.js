// Elements, numbers and the document. Text goes in as text only: what users wrote is never read as markup.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) node.style.setProperty(name, value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const el = (tag, attributes = {}, ...children) => put(document.createElement(tag), attributes, children);
const shape = (tag, attributes = {}, ...children) => put(document.createElementNS(SVG, tag), attributes, children);

// The polite line at the end of the page: what changed, for those who do not see it.
function say(text) {
  document.getElementById("said").textContent = text;
}

// The first number of a cell; NaN where there is none, which every order puts last.
function numberOf(text) {
  const found = /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?/i.exec(text);
  return found ? Number(found[0]) : NaN;
}

function isNumeric(texts) {
  const shown = texts.filter((text) => text !== "");
  return shown.length > 0 && shown.every((text) => /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?( (±|to) [-+\d.e]+)?$/i.test(text));
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function shortNumber(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e5 || size < 1e-3) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

function measured(value, measure) {
  return value === null ? "" : (value * measure.scale).toFixed(measure.decimals).replace(/^-(0(\.0*)?)$/, "$1");
}
