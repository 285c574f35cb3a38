// A sheet: paper of some size, a picture on it perhaps, and every stroke as a list of points. What the pad shows and what
// the server receives are painted by the same functions from the same sheet, so they cannot differ.

const DIGIT_SHEET = { width: 640, height: 480 };
const NUMBER_SHEET = { width: 1280, height: 440 };

// picture: a canvas, with its file, or the promise of it, beside it as `blob`. fields: those named in it, as in fields.js.
const blankSheet = (size = DIGIT_SHEET) => ({
  width: size.width, height: size.height, picture: null, blob: null, paper: "#ffffff", ink: "#000000", strokes: [],
  fields: [],
});

// Brush and eraser take the colours of the picture: on a blackboard one writes in white.
function pictureSheet(picture, blob) {
  const shades = borderShades(picture);
  const dark = median(shades.map((shade) => shade.light)) < 128;
  const [red, green, blue] = ["red", "green", "blue"].map((part) => median(shades.map((shade) => shade[part])));
  return {
    width: picture.width, height: picture.height, picture, blob, strokes: [], fields: [],
    paper: `rgb(${red}, ${green}, ${blue})`, ink: dark ? "#ffffff" : "#000000",
  };
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function borderShades(picture) {
  const side = 32;
  const context = canvasOf(side, side);
  context.drawImage(picture, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  const border = Array.from({ length: side * side }, (_, i) => i)
    .filter((i) => i < side || i >= side * (side - 1) || i % side === 0 || i % side === side - 1);
  return border.map((i) => ({
    red: data[4 * i], green: data[4 * i + 1], blue: data[4 * i + 2],
    light: (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3,
  }));
}

// The context of a new canvas.
const canvasOf = (width, height) => make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });

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

// What the server receives: a picture as its file, which it keeps, and the strokes as a PNG, one pixel a unit: over the
// picture if there is one, else on the paper.
function handOut(sheet) {
  const context = canvasOf(sheet.width, sheet.height);
  if (!sheet.picture) paintSheet(context, sheet);
  else sheet.strokes.forEach((stroke) => paintStroke(context, sheet, stroke));
  const drawn = !sheet.picture || sheet.strokes.length > 0;
  return { picture: sheet.blob, strokes: drawn ? context.canvas.toDataURL("image/png") : null };
}

// The same strokes on a sheet of another size: centred, and made smaller only if they would not fit.
function moveStrokes(strokes, from, to) {
  const scale = Math.min(1, to.width / from.width, to.height / from.height);
  const left = (to.width - from.width * scale) / 2;
  const top = (to.height - from.height * scale) / 2;
  const move = ({ x, y, width }) => ({ x: left + x * scale, y: top + y * scale, width: width * scale });
  return strokes.map((stroke) => ({ ...stroke, points: stroke.points.map(move) }));
}
