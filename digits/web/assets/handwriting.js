// The tab that collects samples of one's own hand: asks for one digit after the other. Runs after pad.js.

const ROUNDS = 3; // 30 samples: each digit three times

// Each round asks for the ten digits in a new order, so that nobody writes them as a row.
const shuffled = (values) => values.map((value) => [Math.random(), value]).sort((a, b) => a[0] - b[0]).map(([, value]) => value);
const wanted = Array.from({ length: ROUNDS }, () => shuffled([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).flat();
let saved = 0;
let step = 0;
let saving = false;

const pad = new Pad(find("canvas.pad"), { changed: () => notice() });

function prompt() {
  pad.history = [blankSheet()];
  pad.go(0);
  const done = step >= wanted.length;
  find(".prompt").innerHTML = done
    ? `Thank you: ${saved} samples are saved. The tab Help says how the program learns from them.`
    : `Please write a <b>${wanted[step]}</b>, as you always do. Sample ${step + 1} of ${wanted.length}.`;
  find(".send").hidden = find(".paper").hidden = done;
  find("progress").value = step;
}

async function save() {
  if (saving) return; // one at a time: a double click would skip a digit
  if (pad.empty) return notice("Nothing is drawn yet.");
  saving = true;
  const { error } = await ask("save_sample", { picture: handOut(pad.sheet).strokes, label: String(wanted[step]) });
  saving = false;
  if (error) return;
  saved++;
  step++;
  prompt();
}

const actions = {
  undo: () => pad.undo(),
  clear: () => pad.clear(),
  skip: () => { if (!saving) { step++; prompt(); } },
  save,
};

element.addEventListener("click", (event) => {
  const action = event.target.closest("[data-do]")?.dataset.do;
  if (action) actions[action]();
});
element.addEventListener("keydown", (event) => {
  const action = { Enter: "save", Escape: "clear", z: (event.ctrlKey || event.metaKey) && "undo" }[event.key];
  if (!action || event.target.matches("button")) return;
  event.preventDefault();
  actions[action]();
});
prompt();
