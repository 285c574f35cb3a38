// The tab that collects samples of one's own hand: asks for one digit after the other. Runs after pad.js and lesson.js.

const ROUNDS = 3; // 30 samples: each digit three times

// Each round asks for the ten digits in a new order, so that nobody writes them as a row.
const shuffled = (values) => values.map((value) => [Math.random(), value]).sort((a, b) => a[0] - b[0]).map(([, value]) => value);
const newSeries = () => ({
  wanted: Array.from({ length: ROUNDS }, () => shuffled([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).flat(),
  saved: [], // for each digit that was asked for, the flag that keeps it, or null if it was skipped
});

let series = JSON.parse(remembered("digits-series", "null")) ?? newSeries(); // goes on after a reload
let saving = false;

const pad = new Pad(find("canvas.pad"), { changed: () => notice() });

function prompt() {
  remember("digits-series", JSON.stringify(series));
  pad.history = [blankSheet()];
  pad.go(0);
  const { wanted, saved } = series;
  const done = saved.length >= wanted.length;
  const kept = saved.filter(Boolean).length;
  find(".prompt").replaceChildren(...(done ? [say("Thank you: {count} samples are saved.", { count: kept })] : asking()));
  find(".writing").hidden = done;
  button("again").hidden = !done;
  button("teach").classList.toggle("primary", done);
  button("back").disabled = saved.length === 0;
  find(".done").value = saved.length;
}

function asking() {
  const { wanted, saved } = series;
  const [before, after] = say("Please write a {digit}, as you always do.", { digit: "\n" }).split("\n");
  const count = say("Sample {place} of {count}.", { place: saved.length + 1, count: wanted.length });
  return [before, make("b", { textContent: wanted[saved.length] }), after, ` ${count}`];
}

async function save() {
  if (saving) return; // one at a time: a double click would skip a digit
  if (pad.empty) return notice(say("Nothing is drawn yet."));
  saving = true;
  const label = String(series.wanted[series.saved.length]);
  const { id, read, error } = await ask("save_sample", { picture: handOut(pad.sheet).strokes, label });
  saving = false;
  if (error) return;
  tell(label, read);
  series.saved.push(id);
  prompt();
}

function tell(label, read) {
  find(".told").textContent = read === label ? say("{label} is saved.", { label })
    : read ? say("{label} is saved. The model reads it as {read} so far: worth learning.", { label, read })
      : say("{label} is saved. The model takes it for no digit so far: worth learning.", { label });
  find(".told").classList.toggle("differs", read !== label);
}

// The sample before is taken back, and asked for again.
async function back() {
  if (saving) return;
  const id = series.saved.at(-1);
  if (id && (await ask("delete_flag", { id })).error) return;
  series.saved.pop();
  find(".told").textContent = "";
  prompt();
}

const actions = {
  undo: () => pad.undo(),
  clear: () => pad.clear(),
  skip: () => { if (!saving) { series.saved.push(null); prompt(); } },
  again: () => { series = newSeries(); prompt(); },
  back,
  save,
  teach,
  rollback: rollBack,
};

element.addEventListener("click", (event) => {
  const action = event.target.closest("[data-do]")?.dataset.do;
  if (action) actions[action]();
});
element.addEventListener("keydown", (event) => {
  const action = { Enter: "save", Escape: "clear", z: (event.ctrlKey || event.metaKey) && "undo" }[event.key];
  if (!action || event.target.matches("button, input")) return;
  event.preventDefault();
  actions[action]();
});
find("[type=range]").value = pad.size;
find("[type=range]").addEventListener("input", (event) => pad.setSize(Number(event.target.value)));
prompt();
pickUp();
