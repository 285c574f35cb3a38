// The pad: shows a sheet, and makes strokes of what pen, finger or mouse do. Runs after sheet.js.

const A_TAP = 4; // pixels of the screen that a finger may slip

class Pad {
  // changed: there is another sheet. started: a stroke begins. tapped(point): whether a tap is taken, and makes no dot.
  // hovered(point). framed(frame): a frame was drawn, {left, top, width, height}, while `framing` says what for.
  constructor(canvas, { changed, started = () => {}, tapped = () => false, hovered = () => {}, framed = () => {} }) {
    Object.assign(this, { canvas, changed, started, tapped, hovered, framed });
    this.screen = canvas.getContext("2d");
    this.size = Number(remembered("digits-brush", 22));
    this.erasing = false;
    this.framing = null;
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
    on("pointermove", (event) => (this.stroke ? this.extend(event) : this.hovered(this.point(event))));
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
    if (!this.stroke) return;
    if (this.framing) this.paintFrame(this.frame());
    else paintStroke(this.screen, this.sheet, this.stroke);
  }

  paintFrame({ left, top, width, height }) {
    this.screen.fillStyle = "#0006";
    this.screen.beginPath();
    this.screen.rect(0, 0, this.sheet.width, this.sheet.height);
    this.screen.rect(left, top, width, height);
    this.screen.fill("evenodd");
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
    this.paint();
  }

  extend(event) {
    if (event.pointerId !== this.pointer) return;
    const { moved } = this;
    const events = event.getCoalescedEvents?.() ?? [];
    const known = this.stroke.points.length;
    this.stroke.points.push(...(events.length ? events : [event]).map((each) => this.point(each)));
    if (!moved && this.moved && !this.framing) this.started();
    if (this.framing) this.paint();
    else paintPoints(this.screen, this.stroke.points, Math.max(0, known - 2));
  }

  // Whether the stroke has gone further than a tap does.
  get moved() {
    const [first, ...others] = this.stroke.points;
    const slip = (A_TAP * this.sheet.width) / this.canvas.getBoundingClientRect().width;
    return others.some((point) => Math.hypot(point.x - first.x, point.y - first.y) > slip);
  }

  end(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    const { stroke, moved } = this;
    const frame = this.frame();
    this.stroke = null;
    if (this.framing) {
      this.paint();
      if (moved) this.framed(frame);
    } else if (!moved && !stroke.erase && this.tapped(stroke.points[0])) this.paint();
    else this.show({ ...this.sheet, strokes: [...this.sheet.strokes, stroke] });
  }

  // The stroke's first and last point as corners, within the sheet.
  frame() {
    const { width, height } = this.sheet;
    const inside = (value, most) => Math.round(Math.min(Math.max(value, 0), most));
    const ends = [this.stroke.points[0], this.stroke.points.at(-1)];
    const [left, right] = ends.map(({ x }) => inside(x, width)).sort((a, b) => a - b);
    const [top, bottom] = ends.map(({ y }) => inside(y, height)).sort((a, b) => a - b);
    return { left, top, width: right - left, height: bottom - top };
  }

  // Every change is a new sheet at the end of the history, so that undo and redo are steps along it.
  show(sheet) {
    this.history = [...this.history.slice(0, this.now + 1), sheet];
    this.go(this.history.length - 1);
  }

  go(step) {
    if (this.stroke) return;
    this.now = step;
    (this.canvas.closest(".board") ?? this.canvas.parentElement).style.setProperty("--ratio", this.sheet.width / this.sheet.height);
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
}
