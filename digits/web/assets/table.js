// The tables that were read, cell by cell: each can be corrected where it stands, and is kept as a flag if it is.

let entered = {}; // by place ("table-row-column"), what a person has typed or confirmed

const enteredKey = () => `digits-cells-${answer.id}`;
const cellInputs = () => findAll(".tables input");
const openCells = () => cellInputs().filter((input) => input.tabIndex === 0);

function showTables() {
  const tables = answer?.tables ?? [];
  entered = tables.length ? JSON.parse(remembered(enteredKey(), "{}", "sessionStorage")) : {};
  find(".tables").replaceChildren(...tables.map(tableOf));
  find(".sheet").hidden = !tables.length;
  find(".boxes").append(...tables.flatMap((rows, table) => rows.flatMap((row, r) => row.map((cell, c) => frameOf(cell, [table, r, c])))));
  fillCells();
  showColumns();
}

const tableOf = (rows, table) => make("table", {}, make("tbody", {}, ...rows.map((row, r) => (
  make("tr", {}, ...row.map((_, c) => make("td", {}, cellOf([table, r, c]), make("s"))))))));

function cellOf([table, row, column]) {
  const widest = Math.max(...answer.tables[table].map((cells) => cells[column]?.text.length ?? 0));
  return make("input", {
    type: "text", size: Math.max(2, widest), autocomplete: "off", spellcheck: false, data: { cell: [table, row, column].join("-") },
  });
}

// Fills the cells in place: a person may be typing in one of them.
function fillCells() {
  cellInputs().forEach(fillCell);
  showOpen();
  find(".remarks").replaceChildren(...cellInputs().filter((input) => cellOfInput(input).remark).map(remarkOf));
}

function fillCell(input) {
  const cell = cellOfInput(input);
  const [, row, column] = placeOf(input).map((place) => place + 1);
  const trust = cell.remark ? sayRemark(cell) : cell.verdict === "empty" ? say("empty") : trustOf(cell);
  if (input !== document.activeElement) input.value = entered[input.dataset.cell] ?? cell.text;
  input.dataset.verdict = cell.verdict;
  input.setAttribute("aria-label", say("Row {row}, column {column}, {trust}", { row, column, trust }));
  input.title = cell.verdict === "empty" && !cell.remark ? "" : trust;
  input.classList.toggle("remarked", Boolean(cell.remark));
  input.nextSibling.textContent = cell.written ?? "";
  settleCell(input, cell.check && !(input.dataset.cell in entered));
}

const placeOf = (input) => input.dataset.cell.split("-").map(Number);
const cellOfInput = (input) => placeOf(input).reduce((rows, place) => rows[place], answer.tables);
const sayRemark = ({ remark }) => remark.split("; ").map(sayPlain).join("; ");

function remarkOf(input) {
  const [, row, column] = placeOf(input).map((place) => place + 1);
  const remark = sayRemark(cellOfInput(input));
  return make("li", { textContent: say("Row {row}, column {column}: {remark}", { row, column, remark }), data: { cell: input.dataset.cell } });
}

// Those that need a look are the stops of the Tab key; the arrows lead to all others.
function settleCell(input, open) {
  input.tabIndex = open ? 0 : -1;
  input.classList.toggle("open", open);
  input.classList.toggle("entered", input.dataset.cell in entered);
}

function showOpen() {
  const count = openCells().length;
  find(".to-check").textContent = count ? say("{count} cells to check", { count }) : say("Nothing left to check");
}

function frameOf(cell, place) {
  const frame = boxOf({ ...cell, label: "" }, -1);
  frame.className = "cell";
  frame.dataset.cell = place.join("-");
  delete frame.dataset.digit;
  return frame;
}

async function enterCell(input) {
  const label = input.value.trim();
  const refused = label !== "#" && NO_LABEL.test(label);
  input.setAttribute("aria-invalid", refused);
  if (refused) return;
  const [table, row, column] = placeOf(input);
  const { text, written } = cellOfInput(input);
  const changed = label !== (entered[input.dataset.cell] ?? written ?? text);
  entered[input.dataset.cell] = label;
  remember(enteredKey(), JSON.stringify(entered), "sessionStorage");
  settleCell(input, false);
  showOpen();
  rereadIfKnown();
  if (changed && label !== "#") await askAbout("flag_cell", { table, row, column, label });
}

// The tables as they stand now, a line a row; an empty line parts two of them.
const sheetText = (apart) => findAll(".tables table").map((table) => [...table.rows].map((row) => (
  [...row.querySelectorAll("input")].map(({ value }) => (value.includes(apart) ? `"${value}"` : value)).join(apart)
)).join("\n")).join("\n\n");

function downloadSheet() {
  const href = URL.createObjectURL(new Blob([`${sheetText(",")}\n`], { type: "text/csv" }));
  make("a", { href, download: "digits.csv" }).click();
  URL.revokeObjectURL(href);
}

async function downloadWorkbook() {
  const { workbook, error } = await askAbout("make_workbook", { known: known(), typed: entered });
  if (!error) make("a", { href: workbook, download: "digits.xlsx" }).click();
}

// described: what is known of the table's columns; or the fields that were named, and what is known of them.
async function downloadTemplate(described) {
  const { template, error } = await askAbout("make_template", described);
  if (!error) make("a", { href: template, download: "form.json" }).click();
}

// --- both -------------------------------------------------------------------------------------------------------------

function pointCell(place) {
  if (place) findAll(`[data-cell="${place}"]`).forEach((each) => each.classList.add("hot"));
}

function cellAt({ x, y }) {
  const holds = ([left, top, right, bottom]) => left <= x && x < right && top <= y && y < bottom;
  const frames = (answer && !busy() ? answer.tables : []).flatMap((rows, table) => rows.flatMap((row, r) => (
    row.map(({ box }, c) => ({ box, place: [table, r, c].join("-") })))));
  return frames.find(({ box }) => holds(box))?.place;
}

function stepThroughCells(event) {
  const inputs = cellInputs();
  const across = event.target.closest("tr").cells.length;
  const step = { ArrowDown: across, ArrowUp: -across }[event.key];
  const next = event.key === "Enter" ? openCells().find((input) => input !== event.target) : inputs[inputs.indexOf(event.target) + step];
  if (event.key === "Enter") enterCell(event.target);
  if (event.key === "Enter" || step) event.preventDefault();
  next?.focus();
  next?.select();
}

find(".tables").addEventListener("pointerover", (event) => { point(-1); pointCell(event.target.closest("td")?.firstChild.dataset.cell); });
find(".tables").addEventListener("focusin", (event) => { point(-1); pointCell(event.target.dataset.cell); });
find(".tables").addEventListener("pointerleave", () => point(-1));
find(".tables").addEventListener("focusout", () => point(-1));
find(".tables").addEventListener("change", (event) => enterCell(event.target));
find(".tables").addEventListener("keydown", stepThroughCells);
