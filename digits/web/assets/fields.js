// The fields of a form, named by hand: a field is {name, box} and what is known of it, {kind, value} as in columns.js. They
// belong to the picture's sheet, and so outlive strokes, undo and a reload, but not another picture.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEPS = 200; // of an arrow key, along the longer side of the picture

const naming = () => pad.framing === "fields";
const frames = () => findAll(".frames button");
const fieldOf = (part) => pad.sheet.fields[part.closest("[data-field]").dataset.field];

function showNaming() {
  button("fields").hidden = !answer || !pad.sheet.picture;
  button("form").disabled = !answer || !pad.sheet.fields.length;
  find(".boxes").hidden = naming();
  find(".frames").hidden = find(".naming").hidden = !naming();
}

function showFields() {
  find(".frames").replaceChildren(...pad.sheet.fields.map((_, field) => make("button", { type: "button", data: { field } }, make("b"))));
  find(".named").replaceChildren(...pad.sheet.fields.map(rowOf));
  frames().forEach(settleFrame);
  showNaming();
}

function settleFrame(frame) {
  const { name, box } = fieldOf(frame);
  frame.style.cssText = laidOn(box);
  frame.firstChild.textContent = `${Number(frame.dataset.field) + 1} ${name}`;
}

function rowOf(field, place) {
  const number = place + 1;
  const name = make("input", { type: "text", name: "field", value: field.name, autocomplete: "off", spellcheck: false });
  const rule = ruleOf(field, say("What stands in field {number}", { number }), say("Field {number}", { number }));
  const remove = make("button", { type: "button", textContent: "\u00d7", title: say("Remove field {number}", { number }) });
  name.setAttribute("aria-label", say("Name of field {number}", { number }));
  remove.setAttribute("aria-label", remove.title);
  remove.onclick = () => removeField(field);
  return make("li", { data: { field: place } }, make("span", { textContent: number }), name, rule, remove);
}

// --- what may be done with them ---------------------------------------------------------------------------------------

// In place, as sheets that differ in strokes alone share their fields.
function changeFields(fields) {
  pad.sheet.fields.splice(0, Infinity, ...fields);
  keepSheet(pad.sheet);
  showFields();
}

// The first that no field has yet.
function freeName() {
  const taken = pad.sheet.fields.map(({ name }) => name);
  return [...taken, ""].map((_, i) => say("field {number}", { number: i + 1 })).find((name) => !taken.includes(name));
}

function addField({ left, top, width, height }) {
  changeFields([...pad.sheet.fields, { name: freeName(), box: [left, top, left + width, top + height] }]);
}

function drawField(frame) {
  addField(frame);
  findAll("[name=field]").at(-1).select();
}

function addFieldInMiddle() {
  const [width, height] = [pad.sheet.width / 4, pad.sheet.height / 8].map(Math.ceil);
  addField({ left: (pad.sheet.width - width) >> 1, top: (pad.sheet.height - height) >> 1, width, height });
  frames().at(-1).focus();
}

function removeField(field) {
  changeFields(pad.sheet.fields.filter((each) => each !== field));
  button("add-field").focus();
}

// With Shift only its right and lower edges; never out of the picture.
function moveBox(event) {
  const way = ARROWS[event.key];
  if (!way) return;
  event.preventDefault();
  const { width, height } = pad.sheet;
  const [x, y] = way.map((each) => each * Math.ceil(Math.max(width, height) / STEPS));
  const steps = event.shiftKey ? [0, 0, x, y] : [x, y, x, y];
  const field = fieldOf(event.target);
  const [left, top, right, bottom] = field.box.map((side, i) => side + steps[i]);
  if (left < 0 || top < 0 || left >= right || top >= bottom || right > width || bottom > height) return;
  field.box = [left, top, right, bottom];
  settleField(field);
}

function changeField(event) {
  const field = fieldOf(event.target);
  Object.assign(field, event.target.name === "field" ? { name: event.target.value } : ruleSaid(event));
  settleField(field);
}

function settleField(field) {
  settleFrame(frames()[pad.sheet.fields.indexOf(field)]);
  keepSheet(pad.sheet);
}

// While an answer is on its way, the one that is shown may be to another picture.
async function downloadForm() {
  const fields = pad.sheet.fields.map(({ name, box }) => ({ name: name.trim(), box }));
  const of = Object.fromEntries(pad.sheet.fields.map((field, i) => [i + 1, field]));
  if (!busy()) await downloadTemplate({ known: known(of), fields });
}

const pointField = (place) => frames().forEach((frame) => frame.classList.toggle("hot", frame.dataset.field === place));

find(".frames").addEventListener("keydown", moveBox);
find(".frames").addEventListener("click", ({ target }) => findAll("[name=field]")[target.dataset.field].select()); // by Enter
find(".named").addEventListener("input", changeField);
find(".named").addEventListener("focusin", ({ target }) => pointField(target.closest("li").dataset.field));
find(".named").addEventListener("focusout", () => pointField(null));
