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
  showOpen();
}

const tableOf = (rows, table) => make("table", {}, make("tbody", {}, ...rows.map((row, r) => (
  make("tr", {}, ...row.map((cell, c) => make("td", {}, cellOf(cell, [table, r, c]))))))));

function cellOf(cell, [table, row, column]) {
  const place = [table, row, column].join("-");
  const widest = Math.max(...answer.tables[table].map((cells) => cells[column].text.length));
  const input = make("input", {
    type: "text", value: entered[place] ?? cell.text, size: Math.max(2, widest), autocomplete: "off", spellcheck: false,
    data: { cell: place, verdict: cell.verdict },
  });
  input.setAttribute("aria-label", say("Row {row}, column {column}, {trust}", {
    row: row + 1, column: column + 1, trust: cell.verdict === "empty" ? say("empty") : trustOf(cell),
  }));
  input.title = cell.verdict === "empty" ? "" : trustOf(cell);
  settleCell(input, cell.check && !(place in entered));
  return input;
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
  const [table, row, column] = input.dataset.cell.split("-").map(Number);
  const changed = label !== (entered[input.dataset.cell] ?? answer.tables[table][row][column].text);
  entered[input.dataset.cell] = label;
  remember(enteredKey(), JSON.stringify(entered), "sessionStorage");
  settleCell(input, false);
  showOpen();
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
