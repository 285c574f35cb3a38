// The drawing tab: the pad, its tools, and the answer. Runs after common.js and pad.js.

const button = (name) => find(`[data-do="${name}"]`);
const percent = (probability) => `${(100 * probability).toFixed(1)} %`;

let answer = null; // the answer that is shown, with the picture that it is about
let asked = 0; // number of the newest question: an answer to an older one is not shown
let looked = 0; // the same for looks inside
let chosen = 0; // the digit to look inside
let flagId = null;

const pad = new Pad(find("canvas.pad"), { changed: sheetChanged, started: strokeStarted });

// --- asking ---------------------------------------------------------------------------------------------------------

const busy = () => find(".answer").getAttribute("aria-busy") === "true";

function setBusy(value) {
  find(".answer").setAttribute("aria-busy", value);
}

async function recognize() {
  const mine = ++asked;
  if (pad.empty) return showAnswer(null);
  setBusy(true);
  const picture = pad.png();
  const reply = await ask("recognize", { picture });
  if (mine === asked) showAnswer(reply.error ? null : { ...reply, picture });
}

// An answer, or a picture, that is on its way comes by itself; to ask again would only drop it.
function submit() {
  if (!busy()) recognize();
}

function sheetChanged() {
  find(".hint").hidden = !pad.empty;
  button("undo").disabled = !pad.canUndo;
  button("redo").disabled = !pad.canRedo;
  button("wide").setAttribute("aria-pressed", pad.wide);
  find(".desk").classList.toggle("wide", pad.wide);
  notice();
  if (live.checked || pad.empty) recognize();
  else { asked++; showAnswer(null); }
}

function strokeStarted() {
  find(".hint").hidden = true;
  find(".boxes").replaceChildren();
}

// --- showing --------------------------------------------------------------------------------------------------------

function showAnswer(next) {
  answer = next;
  chosen = 0;
  setBusy(false);
  const digits = answer?.digits ?? [];
  find("output.text").textContent = answer?.text ?? "";
  find(".status").textContent = statusOf(answer);
  find(".announced").textContent = answer ? `${answer.text} ${statusOf(answer)}` : "";
  find(".digits").replaceChildren(...digits.map(digitCard));
  find(".digits").classList.toggle("many", digits.length > 1);
  find(".boxes").replaceChildren(...digits.map(boxOf));
  find(".notes").replaceChildren(...(answer?.notes ?? []).map((note) => make("li", { textContent: note })));
  find(".model").textContent = answer ? `Answered by model ${answer.model}` : "";
  button("copy").hidden = !answer?.text;
  find(".flag").hidden = !answer;
  find(".more").hidden = !digits.length;
  find(".flagged").hidden = true;
  find(".wrong").reset();
  lookInside();
}

function statusOf(answer) {
  if (!answer) return pad.empty ? "Draw, and the answer appears here." : "Press Submit for the answer.";
  const { digits } = answer;
  if (digits.length === 0) return "Nothing to read here.";
  const unread = digits.filter((digit) => digit.verdict === "not a digit").length;
  const unsure = digits.filter((digit) => digit.verdict === "unsure").length;
  if (digits.length === 1 && unread) return "Not a digit";
  if (digits.length === 1) return `${unsure ? "Unsure, " : ""}${percent(digits[0].confidence)}`;
  const doubts = [unsure && `${unsure} unsure`, unread && `${unread} not a digit`].filter(Boolean);
  return `${digits.length} digits found${doubts.length ? `: ${doubts.join(", ")}` : ""}`;
}

function digitCard(digit, index) {
  const bars = digit.top.map(({ label, confidence }) => make("span", { className: "bar" },
    make("b", { textContent: label }),
    make("i", {}, Object.assign(make("i"), { style: `width: ${100 * confidence}%` })),
    make("span", { textContent: percent(confidence) })));
  const verdict = digit.verdict === "sure" ? [] : [make("span", { className: "verdict", textContent: digit.verdict })];
  const card = make("button", { type: "button", className: "digit", onclick: () => choose(index) }, ...verdict, ...bars);
  card.dataset.verdict = digit.verdict;
  card.setAttribute("aria-pressed", index === chosen);
  return make("li", {}, card);
}

function boxOf(digit) {
  const [left, top, right, bottom] = digit.box;
  const { width, height } = pad.sheet;
  const box = make("span", {}, make("b", { textContent: digit.verdict === "not a digit" ? "?" : digit.label }));
  box.dataset.verdict = digit.verdict;
  box.style.cssText = `left: ${(100 * left) / width}%; top: ${(100 * top) / height}%;`
    + `width: ${(100 * (right - left)) / width}%; height: ${(100 * (bottom - top)) / height}%`;
  return box;
}

function choose(index) {
  chosen = index;
  element.querySelectorAll(".digit").forEach((card, i) => card.setAttribute("aria-pressed", i === index));
  lookInside();
}

async function lookInside() {
  const mine = ++looked;
  const open = button("look").getAttribute("aria-expanded") === "true" && answer?.digits.length > 0;
  if (!open) { find(".inside").hidden = true; return; }
  const inside = await ask("look_inside", { picture: answer.picture, index: chosen });
  if (mine !== looked || inside.error) return;
  find(".seen").src = inside.seen;
  find(".seen").alt = `Digit ${chosen + 1} as the network saw it`;
  find(".decided").src = inside.decided;
  find(".decided").alt = `Which parts of digit ${chosen + 1} decided that it is ${inside.label}`;
  find(".inside").hidden = false;
}

// --- flags ----------------------------------------------------------------------------------------------------------

// The buttons are put away before the server is asked: a double click flags once.
async function flag(label) {
  const flagged = answer;
  find(".flag").hidden = true;
  const saved = await ask("flag", { picture: flagged.picture, label });
  if (flagged !== answer) return;
  if (saved.error) { find(".flag").hidden = false; return; }
  flagId = saved.id;
  find(".flagged span").textContent = saved.sentence;
  button("unflag").hidden = !saved.new;
  find(".flagged").hidden = false;
}

async function unflag() {
  const flagged = answer;
  find(".flagged").hidden = true;
  const { error } = await ask("delete_flag", { id: flagId });
  if (flagged === answer) find(error ? ".flagged" : ".flag").hidden = false;
}

async function downloadCard() {
  const { card, error } = await ask("make_card", { picture: answer.picture });
  if (!error) make("a", { href: card, download: "digits.png" }).click();
}

// --- pictures -------------------------------------------------------------------------------------------------------

const dataUrl = (blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(blob);
});

async function bring(file) {
  if (!file) return;
  const interrupted = busy(); // then an answer was on its way, which is owed if this is no picture
  const mine = ++asked;
  setBusy(true);
  const reply = file.size > props.largest
    ? { error: `${file.name} has ${(file.size / 1e6).toFixed(0)} MB. At most ${props.largest / 1e6} MB can be read.` }
    : await ask("open_picture", { picture: await dataUrl(file) });
  if (mine !== asked) return;
  if (reply.error) {
    setBusy(false);
    if (interrupted) await recognize();
    return notice(reply.error);
  }
  const image = make("img", { src: reply.picture });
  await image.decode();
  pad.showPicture(image);
}

async function openCamera() {
  button("shoot").disabled = true; // until there is something to take
  button("camera").disabled = true; // until the user has decided: two streams would leave one on
  try {
    find("video").srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    find("dialog.camera").showModal();
  } catch {
    notice("No camera can be used here. Upload a picture instead.");
  } finally {
    button("camera").disabled = false;
  }
}

function shoot() {
  const video = find("video");
  const still = make("canvas", { width: video.videoWidth, height: video.videoHeight });
  still.getContext("2d").drawImage(video, 0, 0);
  find("dialog.camera").close();
  setBusy(true);
  still.toBlob(bring, "image/png");
}

function exampleButton({ name, width, height, strokes }) {
  const thumb = make("canvas", { width: 2 * 52 * (width / height), height: 2 * 52 });
  paintSheet(thumb.getContext("2d"), { ...blankSheet({ width, height }), strokes: drawn(strokes) });
  const example = make("button", { type: "button", title: `Example: ${name}`, onclick: () => {
    pad.showStrokes(drawn(strokes), width, height);
  } }, thumb);
  example.setAttribute("aria-label", `Example: ${name}`);
  return example;
}

const drawn = (strokes) => strokes.map((points) => ({
  erase: false, points: points.map(([x, y]) => ({ x, y, width: 22 })),
}));

// --- tools ----------------------------------------------------------------------------------------------------------

function setErasing(erasing) {
  pad.erasing = erasing;
  button("brush").setAttribute("aria-pressed", !erasing);
  button("eraser").setAttribute("aria-pressed", erasing);
}

const actions = {
  brush: () => setErasing(false),
  eraser: () => setErasing(true),
  undo: () => pad.undo(),
  redo: () => pad.redo(),
  clear: () => { setErasing(false); pad.clear(); },
  wide: () => pad.setWide(!pad.wide),
  submit,
  copy: () => navigator.clipboard?.writeText(answer.text).then(() => { find(".announced").textContent = "Copied"; }),
  right: () => flag(answer.text),
  unflag,
  card: downloadCard,
  look: () => {
    button("look").setAttribute("aria-expanded", button("look").getAttribute("aria-expanded") !== "true");
    lookInside();
  },
  camera: openCamera,
  shoot,
  "close-camera": () => find("dialog.camera").close(),
};

const keys = {
  "ctrl+z": "undo", "ctrl+y": "redo", "ctrl+shift+z": "redo", escape: "clear", enter: "submit", b: "brush", e: "eraser",
};

function keyPressed(event) {
  const elsewhere = event.target !== document.body && !element.contains(event.target);
  const typing = event.target.matches("[type=text]");
  const pressesButton = event.key === "Enter" && event.target.matches("button, [type=file]");
  if (elsewhere || typing || pressesButton || !visible() || find("dialog.camera").open) return;
  const control = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const action = keys[control + (event.shiftKey && control ? "shift+" : "") + event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  actions[action]();
}

const visible = () => find("canvas.pad").offsetParent !== null;
const live = find("[name=live]");

// The page may be built anew (Gradio does so when it reconnects); then these listeners go with their element.
function listenOnPage(name, handler) {
  document.addEventListener(name, function listener(event) {
    if (!element.isConnected) return document.removeEventListener(name, listener);
    handler(event);
  });
}

element.addEventListener("click", (event) => {
  const action = event.target.closest("[data-do]")?.dataset.do;
  if (action) actions[action]();
});
listenOnPage("keydown", keyPressed);
listenOnPage("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])][0];
  if (file && visible()) bring(file);
});
element.addEventListener("dragover", (event) => event.preventDefault());
element.addEventListener("drop", (event) => {
  event.preventDefault();
  bring(event.dataTransfer.files[0]);
});
find("[name=picture]").addEventListener("change", (event) => {
  bring(event.target.files[0]);
  event.target.value = ""; // so that the same file can be chosen again
});
find("video").addEventListener("loadeddata", () => { button("shoot").disabled = false; });
find("dialog.camera").addEventListener("close", () => {
  find("video").srcObject.getTracks().forEach((track) => track.stop());
});
find("[type=range]").value = pad.size;
find("[type=range]").addEventListener("input", (event) => pad.setSize(Number(event.target.value)));
live.checked = remembered("digits-live", "true") === "true";
live.addEventListener("change", () => {
  remember("digits-live", live.checked);
  if (live.checked) submit();
});
find(".wrong").addEventListener("submit", (event) => {
  event.preventDefault();
  flag(event.target.label.value);
});
find(".examples").replaceChildren(...props.examples.map(exampleButton));
button("undo").disabled = button("redo").disabled = true;
