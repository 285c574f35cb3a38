// Pictures come onto the pad: uploaded, dropped, pasted, from the camera; and are turned and cropped there.

const REMEDIES = {
  svg: "SVG files cannot be read. Export it as PNG.",
};

// The file on a white canvas no larger than `most` a side, upright. It throws if the browser cannot open it.
async function canvasOfFile(file, most) {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, most / Math.max(image.width, image.height));
  const context = canvasOf(Math.max(1, Math.round(image.width * scale)), Math.max(1, Math.round(image.height * scale)));
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.drawImage(image, 0, 0, context.canvas.width, context.canvas.height);
  return context;
}

const blobOf = (canvas, ...kind) => new Promise((resolve) => { canvas.toBlob(resolve, ...kind); });

// A PNG while it is small, else a JPEG: that of a photo takes a tenth.
async function fileOf(canvas) {
  const png = await blobOf(canvas, "image/png");
  return png.size <= props.largestPng ? png : blobOf(canvas, "image/jpeg", 0.92);
}

// --- the way to the server --------------------------------------------------------------------------------------------

const uploads = new WeakMap(); // for each file that is there, or on its way, the server's reply: {id} or {error}

function upload(blob) {
  if (!uploads.has(blob)) {
    uploads.set(blob, Promise.resolve(blob).then((file) => post("page/keep", file)).then((reply) => {
      if (reply.error) uploads.delete(blob);
      return reply;
    }));
  }
  return uploads.get(blob);
}

// How far it has come is seen, which fetch cannot tell.
function post(path, blob) {
  const progress = find(".upload");
  const request = new XMLHttpRequest();
  request.upload.onprogress = ({ loaded, total }) => {
    progress.hidden = false;
    progress.value = loaded / total;
  };
  return new Promise((resolve) => {
    request.onloadend = () => {
      progress.hidden = true;
      try { resolve(JSON.parse(request.responseText)); } catch { resolve(LOST); }
    };
    request.open("POST", new URL(path, document.baseURI));
    request.send(blob);
  });
}

// --- onto the pad -----------------------------------------------------------------------------------------------------

// given: a file, the promise of one, or nothing.
async function bring(given) {
  if (!given) return;
  const interrupted = busy(); // then an answer was on its way, which is owed if this is no picture
  const mine = ++asked;
  setBusy(true);
  const file = await given;
  const { canvas, blob, error } = await opened(file);
  if (mine !== asked) return;
  if (!error) return pad.show(pictureSheet(canvas, blob));
  setBusy(false);
  if (interrupted) await recognize();
  notice(`${file.name || say("Picture")}: ${error}`);
}

// {canvas, blob}, or {error}. What the browser cannot open the server may.
async function opened(file) {
  if (file.size > props.largest) {
    return { error: say("It has {size} MB. At most {most} MB can be read.", {
      size: Math.ceil(file.size / 1e6), most: props.largest / 1e6,
    }) };
  }
  try {
    const { canvas } = await canvasOfFile(file, props.side);
    return { canvas, blob: await fileOf(canvas) };
  } catch {
    return openedByServer(file);
  }
}

async function openedByServer(file) {
  const remedy = REMEDIES[file.name?.split(".").at(-1).toLowerCase()];
  if (remedy) return { error: say(remedy) };
  const { id, picture, error } = await post("page/open", file);
  if (error) return { error: sayPlain(error) };
  const blob = await (await fetch(picture)).blob();
  uploads.set(blob, Promise.resolve({ id }));
  return { canvas: (await canvasOfFile(blob, props.side)).canvas, blob };
}

// --- turn and crop ----------------------------------------------------------------------------------------------------

// Strokes become part of the picture. It is shown at once, and its file follows.
function showPart(width, height, paint) {
  const context = canvasOf(width, height);
  const whole = canvasOf(pad.sheet.width, pad.sheet.height);
  paintSheet(whole, pad.sheet);
  paint(context, whole.canvas);
  const blob = fileOf(context.canvas);
  pad.show({ ...pad.sheet, width, height, picture: context.canvas, blob, strokes: [], fields: [] });
}

function turn() {
  const { width, height } = pad.sheet;
  showPart(height, width, (context, whole) => {
    context.translate(height, 0);
    context.rotate(Math.PI / 2);
    context.drawImage(whole, 0, 0);
  });
}

// purpose: what the frames are for that are drawn from now on, "crop" or "fields"; null if strokes are drawn.
function setFraming(purpose) {
  pad.framing = purpose;
  for (const name of ["crop", "fields"]) button(name).setAttribute("aria-pressed", purpose === name);
  find(".crop-hint").hidden = purpose !== "crop";
  showFields();
}

function crop({ left, top, width, height }) {
  setFraming(null);
  showPart(width, height, (context, whole) => context.drawImage(whole, -left, -top));
}

// --- the ways in ------------------------------------------------------------------------------------------------------

find("[name=picture]").addEventListener("change", (event) => {
  bring(event.target.files[0]);
  event.target.value = ""; // so that the same file can be chosen again
});

const hasFiles = (event) => visible() && [...(event.dataTransfer?.types ?? [])].includes("Files");
const setDropping = (dropping) => find(".paper").classList.toggle("dropping", dropping);

listenOnPage("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  setDropping(true);
});
listenOnPage("dragleave", (event) => { if (!event.relatedTarget) setDropping(false); });
listenOnPage("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  setDropping(false);
  bring(event.dataTransfer.files[0]);
});
listenOnPage("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])][0];
  if (file && visible()) bring(file);
});
