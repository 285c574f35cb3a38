// What is known of a table's columns: said in a small form, kept to by the server, and shown wherever it changed something.

const KINDS = {
  any: say("anything"),
  range: say("from - to"),
  digits: say("number of digits"),
  like: say("like this example"),
  sum: say("sum of columns"),
};
const EXAMPLES_OF = { range: "0-100", digits: "3", like: "12:30", sum: "1-3" };

let rules = {}; // by column, from 1: its kind and its value, as far as the server understood them
let queue = Promise.resolve(); // one question at a time: each builds on the answer before

const inTurn = (work, read = answer) => { queue = queue.then(() => read === answer && work()); };
const columnCount = () => Math.max(0, ...answer.tables.flat().map((row) => row.length));
const rulesKey = () => `digits-columns-${columnCount()}`; // the next sheet of the same form has the same columns

// As the server's parse_column reads them.
const known = (some = rules) => Object.entries(some).filter(([, { kind, value }]) => kind !== "any" && value)
  .map(([column, { kind, value }]) => `${column}:${kind === "range" ? "" : `${kind}=`}${value}`);

function showColumns() {
  if (!answer?.tables.length) return;
  rules = JSON.parse(remembered(rulesKey(), "{}", "sessionStorage"));
  find(".rules").replaceChildren(...Array.from({ length: columnCount() }, (_, i) => ruleOfColumn(i + 1)));
  find(".columns").open = known().length > 0;
  notice("", find(".rule-error"));
  rereadIfKnown();
}

function ruleOfColumn(column) {
  const label = say("Column {column}", { column });
  const rule = ruleOf(rules[column], say("What stands in column {column}", { column }), label);
  rule.dataset.column = column;
  rule.prepend(make("span", { textContent: label }));
  return rule;
}

// A choice of what is known, and the place for it; each with its label.
function ruleOf({ kind = "any", value = "" } = {}, ...labels) {
  const kinds = make("select", {}, ...Object.entries(KINDS).map(([value, textContent]) => make("option", { value, textContent })));
  const input = make("input", { type: "text", value, size: 8, autocomplete: "off", spellcheck: false });
  kinds.value = kind;
  [kinds, input].forEach((each, i) => each.setAttribute("aria-label", labels[i]));
  const rule = make("div", { className: "rule" }, kinds, input);
  settleRule(rule);
  return rule;
}

function settleRule(rule) {
  const [kinds, input] = rule.querySelectorAll("select, input");
  input.hidden = kinds.value === "any";
  input.placeholder = EXAMPLES_OF[kinds.value] ?? "";
}

// What the rule says after this change of it.
function ruleSaid({ target }) {
  const rule = target.closest(".rule");
  const [kinds, input] = rule.querySelectorAll("select, input");
  if (target === kinds) input.value = "";
  settleRule(rule);
  return { kind: kinds.value, value: input.value.trim() };
}

function changeRule(event) {
  const rule = event.target.closest(".rule");
  const said = ruleSaid(event);
  inTurn(() => tryRule(rule.dataset.column, said, rule.querySelector("input")));
}

// A rule that is not understood changes nothing.
async function tryRule(column, rule, input) {
  const trial = { ...rules, [column]: rule };
  const { error, lost } = await reread(trial);
  input.setAttribute("aria-invalid", Boolean(error && !lost));
  if (error && !lost) {
    notice(say("Column {column}: {text} is not understood. It is written as {example}.", {
      column, text: rule.value, example: ltr(EXAMPLES_OF[rule.kind]),
    }), find(".rule-error"));
  }
  if (error) return;
  rules = trial;
  remember(rulesKey(), JSON.stringify(rules), "sessionStorage");
}

// The tables again, with what is known of their columns and what was typed into their cells.
async function reread(trial) {
  const read = answer;
  const reply = await askAbout("enter_tables", { known: known(trial), typed: entered }, find(".rule-error"));
  if (read === answer && !reply.error) {
    answer.tables = reply.tables;
    fillCells();
  }
  return reply;
}

function rereadIfKnown() {
  if (known().length) inTurn(() => reread(rules));
}

find(".rules").addEventListener("change", changeRule);
