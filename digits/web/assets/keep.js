// The sheet survives a reload of the page, in the browser alone and for this visit. Runs after pad.js.

const dataUrl = (blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(blob);
});

let keptBlob = null; // its file is stored already: it is large, and strokes come often

async function keepSheet({ picture, blob, ...sheet }) {
  remember("digits-sheet", JSON.stringify(sheet), "sessionStorage");
  if (blob === keptBlob) return;
  keptBlob = blob;
  const url = blob ? await dataUrl(await blob) : "";
  if (blob === keptBlob) remember("digits-picture", url, "sessionStorage");
}

async function restoreSheet(pad) {
  const kept = remembered("digits-sheet", null, "sessionStorage");
  if (!kept) return;
  const sheet = JSON.parse(kept);
  const url = remembered("digits-picture", "", "sessionStorage");
  const blob = url ? await (await fetch(url)).blob() : null;
  const picture = blob && (await canvasOfFile(blob, props.side)).canvas;
  if (pad.empty && (picture || sheet.strokes.length || sheet.width !== pad.sheet.width)) pad.show({ ...blankSheet(), ...sheet, picture, blob });
}
