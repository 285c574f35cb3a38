// Right, or what it really is: the picture is kept with its true label, and that can be undone.

const NO_LABEL = /[^0-9.,\-/:+=%?\s]/;

let corrections = {}; // by digit, what it really is, as tapped
let flagId = null;

const field = find("[name=label]");

function showCorrection() {
  corrections = {};
  find(".flag").hidden = !answer;
  find(".flagged").hidden = true;
  button("right").hidden = !answer?.text;
  const lines = answer?.text.split("\n") ?? [""];
  field.rows = Math.min(lines.length, 3);
  field.cols = Math.min(Math.max(6, ...lines.map((line) => line.length + 1)), 24);
  setLabel("");
}

function setLabel(text) {
  field.value = text;
  const refused = NO_LABEL.test(text);
  find(".refused").hidden = !refused;
  field.setAttribute("aria-invalid", refused);
  button("save").disabled = refused || !labelOf(text);
}

const labelOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean).join("\n");

function correctDigit(index, label) {
  corrections[index] = label;
  const lines = Object.values(Object.groupBy(answer.numbers, (number) => number.line));
  const corrected = ({ marks }) => marks.map(({ text, digit }) => corrections[digit] ?? text).join("");
  setLabel(lines.map((numbers) => numbers.map(corrected).join(" ")).join("\n"));
  button("save").focus({ preventScroll: true });
}

// The buttons are put away before the server is asked: a double click flags once.
async function flag(label) {
  const flagged = answer;
  find(".flag").hidden = true;
  const saved = await askAbout("flag", { label });
  if (flagged !== answer) return;
  if (saved.error) { find(".flag").hidden = false; return; }
  flagId = saved.id;
  find(".flagged span").textContent = savedSentence(saved);
  button("unflag").hidden = !saved.new;
  find(".flagged").hidden = false;
}

function savedSentence({ saved, label, new: first }) {
  const begin = first ? say(`Saved as ${saved}`) : say(`Already saved as ${saved}`);
  return `${begin}: ${label ? label.replaceAll("\n", " / ") : say("not a digit")}`;
}

async function unflag() {
  const flagged = answer;
  find(".flagged").hidden = true;
  const { error } = await ask("delete_flag", { id: flagId });
  if (flagged === answer) find(error ? ".flagged" : ".flag").hidden = false;
}

field.addEventListener("input", () => setLabel(field.value));
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || field.rows > 1) return;
  event.preventDefault();
  if (!button("save").disabled) flag(labelOf(field.value));
});
