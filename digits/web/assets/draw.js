// The drawing tab: asks, and hands each answer to those who show it. Runs last.

const PATIENCE = 150; // ms after which a question that has no answer yet is seen to be one
const AWAY = 2000; // ms after which a server that did not answer is asked again

let asked = 0; // number of the newest question: an answer to an older one is not shown
let patience = null;
let retry = null;

const live = find("[name=live]");
const visible = () => find("canvas.pad").offsetParent !== null;

const pad = new Pad(find("canvas.pad"), {
  changed: sheetChanged,
  started: strokeStarted,
  framed: takeFrame,
  hovered: (place) => {
    point(digitAt(place));
    pointCell(cellAt(place));
  },
  tapped: (place) => {
    const index = digitAt(place);
    if (index >= 0) choose(index);
    return index >= 0;
  },
});

// --- asking -----------------------------------------------------------------------------------------------------------

const busy = () => find(".answer").getAttribute("aria-busy") === "true";

function setBusy(value) {
  find(".answer").setAttribute("aria-busy", value);
  clearTimeout(patience);
  find(".desk").classList.remove("waiting");
  if (value) patience = setTimeout(seeWaiting, PATIENCE);
}

// What is dim is the answer to what was drawn before.
function seeWaiting() {
  find(".desk").classList.add("waiting");
  find(".status").textContent = say("Reading...");
}

async function recognize() {
  const mine = ++asked;
  clearTimeout(retry);
  if (pad.empty) return settle(null);
  setBusy(true);
  const sent = handOut(pad.sheet);
  const reply = await send(sent);
  if (mine !== asked) return;
  if (reply.lost) retry = setTimeout(recognize, AWAY);
  settle(reply.error ? null : { ...reply, sent });
}

function settle(next) {
  setBusy(false);
  showAnswer(next);
}

// A picture that the server has forgotten is sent again, once.
async function send({ picture, strokes }, again = true) {
  const kept = picture ? await upload(picture) : { id: null };
  if (kept.error) { notice(sayPlain(kept.error)); return kept; }
  const reply = await ask("recognize", { strokes, picture: kept.id });
  if (!reply.forgotten || !again) return reply;
  uploads.delete(picture);
  return send({ picture, strokes }, false);
}

// A question about what was read. Its id follows from the picture, so it is the same when that is sent again.
async function askAbout(name, question, place) {
  const { id, sent } = answer;
  const reply = await ask(name, { id, ...question }, place);
  if (!reply.forgotten) return reply;
  await send(sent);
  return ask(name, { id, ...question }, place);
}

// An answer, or a picture, that is on its way comes by itself; to ask again would only drop it.
function submit() {
  if (!busy()) recognize();
}

function sheetChanged() {
  const { picture } = pad.sheet;
  find(".hint").hidden = !pad.empty;
  button("undo").disabled = !pad.canUndo;
  button("redo").disabled = !pad.canRedo;
  button("wide").setAttribute("aria-pressed", pad.wide);
  button("wide").hidden = picture !== null;
  button("turn").hidden = button("crop").hidden = picture === null;
  find(".desk").classList.toggle("wide", pad.wide);
  setFraming(null);
  keepSheet(pad.sheet);
  notice();
  if (live.checked || pad.empty) recognize();
  else { asked++; settle(null); }
}

function strokeStarted() {
  find(".hint").hidden = true;
  find(".boxes").replaceChildren();
}

function setLive() {
  remember("digits-live", live.checked);
  button("submit").hidden = live.checked;
  if (live.checked && !answer) submit();
}

// --- tools ------------------------------------------------------------------------------------------------------------

const LEAST_FRAME = 8; // pixels of the sheet: what is smaller was no frame

function takeFrame(frame) {
  if (Math.min(frame.width, frame.height) < LEAST_FRAME) return;
  if (pad.framing === "crop") crop(frame);
  else drawField(frame);
}

function setErasing(erasing) {
  pad.erasing = erasing;
  setFraming(null);
  button("brush").setAttribute("aria-pressed", !erasing);
  button("eraser").setAttribute("aria-pressed", erasing);
}

function exampleButton({ name, width, height, strokes }) {
  const thumb = canvasOf(2 * 52 * (width / height), 2 * 52);
  paintSheet(thumb, { ...blankSheet({ width, height }), strokes: drawn(strokes) });
  const example = make("button", { type: "button", title: say("Example: {name}", { name: say(name) }) }, thumb.canvas);
  example.onclick = () => pad.showStrokes(drawn(strokes), width, height);
  example.setAttribute("aria-label", example.title);
  return example;
}

const drawn = (strokes) => strokes.map((points) => ({
  erase: false, points: points.map(([x, y]) => ({ x, y, width: 22 })),
}));

async function copyText() {
  await navigator.clipboard?.writeText(answer.tables.length ? sheetText("\t") : answer.text);
  find(".announced").textContent = find(".copied").textContent = say("Copied");
  setTimeout(() => { find(".copied").textContent = say("Copy"); }, 2000);
}

async function downloadCard() {
  const { card, error } = await askAbout("make_card", {});
  const name = answer.text.replace(/[^0-9.]+/g, "-").slice(0, 40);
  if (!error) make("a", { href: card, download: `digits-${name || "none"}.png` }).click();
}

const actions = {
  brush: () => setErasing(false),
  eraser: () => setErasing(true),
  undo: () => pad.undo(),
  redo: () => pad.redo(),
  clear: () => { setErasing(false); pad.clear(); },
  leave: () => (pad.framing ? setFraming(null) : actions.clear()),
  wide: () => pad.setWide(!pad.wide),
  turn,
  crop: () => setFraming(pad.framing === "crop" ? null : "crop"),
  fields: () => setFraming(naming() ? null : "fields"),
  "add-field": addFieldInMiddle,
  form: downloadForm,
  submit,
  copy: copyText,
  right: () => flag(answer.text),
  none: () => flag(""),
  save: () => flag(labelOf(field.value)),
  unflag,
  card: downloadCard,
  download: downloadSheet,
  workbook: downloadWorkbook,
  template: () => downloadTemplate({ known: known() }),
  look: () => setInsideOpen(!insideOpen()),
  camera: openCamera,
  shoot,
  "close-camera": () => find("dialog.camera").close(),
};

const keys = {
  b: "brush", e: "eraser", "ctrl+z": "undo", "ctrl+y": "redo", "ctrl+shift+z": "redo", escape: "leave", enter: "submit",
};

function keyPressed(event) {
  const elsewhere = event.target !== document.body && !element.contains(event.target);
  const typing = event.target.matches("[name=label], [type=text], select");
  const pressesButton = event.key === "Enter" && event.target.matches("button, summary, [type=file]");
  if (elsewhere || typing || pressesButton || !visible() || find("dialog.camera").open) return;
  const control = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const action = keys[control + (event.shiftKey && control ? "shift+" : "") + event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  actions[action]();
}

element.addEventListener("click", (event) => {
  const action = event.target.closest("[data-do]")?.dataset.do;
  if (action) actions[action]();
});
listenOnPage("keydown", keyPressed);
find("[type=range]").value = pad.size;
find("[type=range]").addEventListener("input", (event) => pad.setSize(Number(event.target.value)));
live.checked = remembered("digits-live", "true") === "true";
live.addEventListener("change", setLive);
find(".examples").replaceChildren(...props.examples.map(exampleButton));
button("submit").hidden = live.checked;
button("undo").disabled = button("redo").disabled = true;
setInsideOpen(remembered("digits-inside", "true") === "true");
settle(null);
restoreSheet(pad);
