// What was read: the text, number by number, each digit marked in the text and in the picture alike.

const DOUBTED = 0.99; // a number's weakest digit is marked if its probability is lower

let answer = null; // the answer that is shown
let chosen = 0; // the digit whose bars and insides are shown

function showAnswer(next) {
  answer = next;
  chosen = weakest(answer?.digits.map((_, i) => i) ?? []);
  const status = statusOf(answer);
  find(".status").textContent = status;
  find(".announced").textContent = answer ? `${answer.text} ${status}` : "";
  showText();
  find(".boxes").replaceChildren(...(answer?.digits ?? []).map(boxOf));
  find(".boxes").classList.toggle("many", answer?.digits.length > 12);
  find(".notes").replaceChildren(...(answer?.notes ?? []).map((note) => make("li", { textContent: sayPlain(note) })));
  find(".model").textContent = answer ? say("Answered by model {model}", { model: answer.model }) : "";
  showTables();
  showNaming();
  button("copy").hidden = !answer?.text;
  button("card").disabled = !answer?.digits.length;
  showCorrection();
  choose(chosen);
}

const weakest = (places) => places.reduce(
  (least, i) => (answer.digits[i].confidence < answer.digits[least].confidence ? i : least), places[0] ?? 0,
);

function statusOf(answer) {
  if (!answer && pad.empty) return say("Draw, and the answer appears here.");
  if (!answer) return live.checked ? "" : say("Press Submit for the answer.");
  const { digits, numbers } = answer;
  if (pad.sheet.picture && !answer.text) {
    return say("No clear digits were found here. Turn the picture upright, crop it to the digits, or take it closer, in more light.");
  }
  if (digits.length === 0) return say("Nothing to read here.");
  if (!answer.text) return say("Not a digit");
  if (numbers.length === 1) return trustOf(numbers[0]);
  const counted = [say("{count} numbers", { count: numbers.length }), say("{count} digits", { count: digits.length })];
  const unsure = numbers.filter((number) => number.verdict === "unsure").length;
  return [...counted, ...(unsure ? [say("{count} unsure", { count: unsure })] : [])].join(", ");
}

const trustOf = ({ verdict, confidence }) => (
  verdict === "not a digit" ? say("Not a digit")
    : verdict === "sure" ? percent(confidence) : say("Unsure, {percent}", { percent: percent(confidence) }));

// --- the text ---------------------------------------------------------------------------------------------------------

// A line is never wrapped: its type shrinks, and what is still too long scrolls.
function showText() {
  const shown = (answer?.text ? answer.numbers : []).filter((number) => !number.in_table);
  const lines = Object.values(Object.groupBy(shown, (number) => number.line));
  const longest = Math.max(0, ...answer?.text.split("\n").map((line) => line.length) ?? []);
  find(".text").style.setProperty("--longest", longest);
  find(".text").classList.toggle("many", answer?.numbers.length > 1);
  find(".text").replaceChildren(...lines.map((numbers) => make("div", { className: "line" }, ...numbers.map(numberOf))));
}

function numberOf(number) {
  const places = number.marks.map((mark) => mark.digit).filter((digit) => digit !== null);
  const weak = weakest(places);
  const doubted = places.length > 1 && answer.digits[weak].confidence < DOUBTED ? weak : null;
  const made = make("span", { className: "number" },
    make("span", { className: "marks" }, ...number.marks.map((mark) => markOf(mark, mark.digit === doubted))),
    make("small", { textContent: trustOf(number) }));
  made.dataset.verdict = number.verdict;
  return made;
}

function markOf({ text, digit }, doubted) {
  if (digit === null) return make("span", { textContent: text });
  const mark = make("button", { type: "button", className: "mark", textContent: text, data: { digit } });
  mark.dataset.verdict = answer.digits[digit].verdict;
  mark.classList.toggle("doubted", doubted);
  mark.setAttribute("aria-label", `${text}, ${trustOf(answer.digits[digit])}`);
  return mark;
}

// --- the picture ------------------------------------------------------------------------------------------------------

// The style of what lies on the picture where the box is.
function laidOn([left, top, right, bottom]) {
  const { width, height } = pad.sheet;
  return `left: ${(100 * left) / width}%; top: ${(100 * top) / height}%;`
    + `width: ${(100 * (right - left)) / width}%; height: ${(100 * (bottom - top)) / height}%`;
}

function boxOf(digit, index) {
  const box = make("span", { data: { digit: index, verdict: digit.verdict } },
    make("b", { textContent: digit.verdict === "not a digit" ? "?" : digit.label }));
  box.style.cssText = laidOn(digit.box);
  return box;
}

// The smallest box that the point lies in: its digit, or -1.
function digitAt({ x, y }) {
  const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);
  const holds = ([left, top, right, bottom]) => left <= x && x < right && top <= y && y < bottom;
  const digits = answer && !busy() ? answer.digits : [];
  const [smallest] = digits.filter(({ box }) => holds(box)).sort((a, b) => area(a.box) - area(b.box));
  return digits.indexOf(smallest);
}

// --- both -------------------------------------------------------------------------------------------------------------

const marksOf = (index) => findAll(`[data-digit="${index}"]`);

function choose(index) {
  chosen = index;
  const one = answer?.digits.length === 1; // then there is no choice to show
  findAll("[data-digit]").forEach((mark) => mark.classList.toggle("chosen", !one && Number(mark.dataset.digit) === index));
  findAll(".mark").forEach((mark) => {
    mark.setAttribute("aria-pressed", Number(mark.dataset.digit) === index);
    mark.tabIndex = Number(mark.dataset.digit) === index ? 0 : -1; // one stop for all; arrows go on from there
  });
  showBars();
  showInside();
}

function point(index) {
  findAll(".hot").forEach((mark) => mark.classList.remove("hot"));
  marksOf(index).forEach((mark) => mark.classList.add("hot"));
}

function stepThroughMarks(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || !event.target.matches(".mark")) return;
  const marks = findAll(".mark");
  const next = marks[marks.indexOf(event.target) + step];
  if (!next) return;
  choose(Number(next.dataset.digit));
  next.focus();
}

find(".text").addEventListener("pointerover", (event) => point(event.target.closest(".mark")?.dataset.digit ?? -1));
find(".text").addEventListener("pointerleave", () => point(-1));
find(".text").addEventListener("keydown", stepThroughMarks);
find(".text").addEventListener("click", (event) => {
  const mark = event.target.closest(".mark");
  if (mark) choose(Number(mark.dataset.digit));
});
find("canvas.pad").addEventListener("pointerleave", () => point(-1));
