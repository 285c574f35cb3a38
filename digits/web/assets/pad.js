// The pad: a sheet of paper that remembers every stroke as a list of points. What it shows and what it hands to the
// server are painted by the same function from the same state, so they cannot differ.

const DIGIT_SHEET = { width: 640, height: 480 };
const NUMBER_SHEET = { width: 1280, height: 440 };

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

const remembered = (key, fallback) => {
  try { return localStorage.getItem(key) ?? fallback; } catch { return fallback; } // storage may be forbidden
};

const remember = (key, value) => {
  try { localStorage.setItem(key, value); } catch { /* the choice then holds for this visit only */ }
};

const blankSheet = (size = DIGIT_SHEET) => ({
  width: size.width, height: size.height, picture: null, paper: "#ffffff", ink: "#000000", strokes: [],
});

const between = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

// A stroke is {erase, points}, a point is {x, y, width} in pixels of the sheet. The line is smooth: it passes halfway
// between neighbouring points and bends towards them. Where the width changes (a pen pressed harder) a new path starts.
function paintPoints(context, points, first) {
  let [width, start] = [null, points[first]];
  for (let i = first; i < points.length; i++) {
    const [at, next] = [points[i], points[i + 1] ?? points[i]];
    if (at.width !== width) {
      if (width) context.stroke();
      context.beginPath();
      context.moveTo(start.x, start.y);
      context.lineWidth = width = at.width;
    }
    start = i === points.length - 1 ? at : between(at, next);
    context.quadraticCurveTo(at.x, at.y, start.x, start.y);
  }
  context.lineTo(start.x + 0.01, start.y); // a dot, too, must have a length to be drawn
  context.stroke();
}

function paintStroke(context, sheet, stroke) {
  context.strokeStyle = stroke.erase ? sheet.paper : sheet.ink;
  context.lineCap = context.lineJoin = "round";
  paintPoints(context, stroke.points, 0);
}

// Fills the context's canvas. It has whole pixels, so across and down the scales may differ by a hair.
function paintSheet(context, sheet) {
  const { width, height } = context.canvas;
  context.setTransform(width / sheet.width, 0, 0, height / sheet.height, 0, 0);
  context.fillStyle = sheet.paper;
  context.fillRect(0, 0, sheet.width, sheet.height);
  if (sheet.picture) context.drawImage(sheet.picture, 0, 0, sheet.width, sheet.height);
  sheet.strokes.forEach((stroke) => paintStroke(context, sheet, stroke));
}

// The same strokes on a sheet of another size: centred, and made smaller only if they would not fit.
function moveStrokes(strokes, from, to) {
  const scale = Math.min(1, to.width / from.width, to.height / from.height);
  const left = (to.width - from.width * scale) / 2;
  const top = (to.height - from.height * scale) / 2;
  const move = ({ x, y, width }) => ({ x: left + x * scale, y: top + y * scale, width: width * scale });
  return strokes.map((stroke) => ({ ...stroke, points: stroke.points.map(move) }));
}

class Pad {
  constructor(canvas, { changed, started = () => {} }) {
    this.canvas = canvas;
    this.screen = canvas.getContext("2d");
    this.copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    this.changed = changed;
    this.started = started;
    this.size = Number(remembered("digits-brush", 22));
    this.erasing = false;
    this.stroke = null;
    this.history = [blankSheet()];
    this.now = 0;
    this.listen();
    this.fit();
  }

  get sheet() { return this.history[this.now]; }
  get empty() { return !this.sheet.picture && this.sheet.strokes.length === 0; }
  get canUndo() { return this.now > 0; }
  get canRedo() { return this.now < this.history.length - 1; }
  get wide() { return this.sheet.width === NUMBER_SHEET.width && !this.sheet.picture; }

  listen() {
    const on = (name, handler) => this.canvas.addEventListener(name, handler);
    on("pointerdown", (event) => this.begin(event));
    on("pointermove", (event) => this.extend(event));
    on("pointerup", (event) => this.end(event));
    on("pointercancel", (event) => this.end(event));
    on("touchstart", (event) => event.preventDefault()); // older phones scroll in spite of touch-action
    new ResizeObserver(() => this.fit()).observe(this.canvas);
  }

  // The canvas gets one pixel for each pixel of the screen, whatever its density.
  fit() {
    const { width, height } = this.canvas.getBoundingClientRect();
    this.canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
    this.canvas.height = Math.max(1, Math.round(height * devicePixelRatio));
    this.paint();
  }

  paint() {
    paintSheet(this.screen, this.sheet);
    if (this.stroke) paintStroke(this.screen, this.sheet, this.stroke);
  }

  point(event) {
    const frame = this.canvas.getBoundingClientRect();
    const scale = this.sheet.width / frame.width;
    const pressed = event.pointerType === "pen" && event.pressure > 0 ? 0.4 + 1.2 * event.pressure : 1;
    const size = this.size * (this.erasing ? 2 : 1) * (this.sheet.picture ? this.sheet.width / DIGIT_SHEET.width : 1);
    return { x: (event.clientX - frame.left) * scale, y: (event.clientY - frame.top) * scale, width: size * pressed };
  }

  begin(event) {
    const eraserEnd = event.button === 5;
    if (this.stroke || !event.isPrimary || (event.button !== 0 && !eraserEnd)) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true, focusVisible: false });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.stroke = { erase: this.erasing || eraserEnd, points: [this.point(event)] };
    this.started();
    this.paint();
  }

  extend(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const known = this.stroke.points.length;
    this.stroke.points.push(...(events.length ? events : [event]).map((each) => this.point(each)));
    paintPoints(this.screen, this.stroke.points, Math.max(0, known - 2));
  }

  end(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    const stroke = this.stroke;
    this.stroke = null;
    this.show({ ...this.sheet, strokes: [...this.sheet.strokes, stroke] });
  }

  // Every change is a new sheet at the end of the history, so that undo and redo are steps along it.
  show(sheet) {
    this.history = [...this.history.slice(0, this.now + 1), sheet];
    this.go(this.history.length - 1);
  }

  go(step) {
    if (this.stroke) return;
    this.now = step;
    this.canvas.parentElement.style.setProperty("--ratio", this.sheet.width / this.sheet.height);
    this.paint();
    this.changed();
  }

  undo() { if (this.canUndo) this.go(this.now - 1); }
  redo() { if (this.canRedo) this.go(this.now + 1); }
  clear() { if (!this.empty) this.show(blankSheet(this.wide ? NUMBER_SHEET : DIGIT_SHEET)); }

  setSize(size) {
    this.size = size;
    remember("digits-brush", size);
  }

  setWide(wide) {
    const next = blankSheet(wide ? NUMBER_SHEET : DIGIT_SHEET);
    if (this.sheet.picture) return this.show(next);
    this.show({ ...next, strokes: moveStrokes(this.sheet.strokes, this.sheet, next) });
  }

  showStrokes(strokes, width, height) {
    const sheet = blankSheet(this.wide ? NUMBER_SHEET : DIGIT_SHEET);
    this.show({ ...sheet, strokes: moveStrokes(strokes, { width, height }, sheet) });
  }

  // Brush and eraser take the colours of the picture: on a blackboard one writes in white.
  showPicture(image) {
    const shades = this.borderShades(image);
    const dark = median(shades.map((shade) => shade.light)) < 128;
    const [red, green, blue] = ["red", "green", "blue"].map((part) => median(shades.map((shade) => shade[part])));
    this.show({
      width: image.naturalWidth, height: image.naturalHeight, picture: image, strokes: [],
      paper: `rgb(${red}, ${green}, ${blue})`, ink: dark ? "#ffffff" : "#000000",
    });
  }

  borderShades(image) {
    const side = 32;
    const context = this.freshCopy(side, side);
    context.drawImage(image, 0, 0, side, side);
    const { data } = context.getImageData(0, 0, side, side);
    const border = Array.from({ length: side * side }, (_, i) => i)
      .filter((i) => i < side || i >= side * (side - 1) || i % side === 0 || i % side === side - 1);
    return border.map((i) => ({
      red: data[4 * i], green: data[4 * i + 1], blue: data[4 * i + 2],
      light: (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3,
    }));
  }

  freshCopy(width, height) {
    this.copy.canvas.width = width;
    this.copy.canvas.height = height;
    return this.copy;
  }

  // What the server receives: the sheet as a PNG data URL, one pixel a unit, the same on every screen.
  png() {
    paintSheet(this.freshCopy(this.sheet.width, this.sheet.height), this.sheet);
    return this.copy.canvas.toDataURL("image/png");
  }
}
