// Look inside: what the network saw of the chosen digit, and which parts of it decided.

let looked = 0; // number of the newest look: an older one that comes late is not shown

const insideOpen = () => button("look").getAttribute("aria-expanded") === "true";

function setInsideOpen(open) {
  button("look").setAttribute("aria-expanded", open);
  remember("digits-inside", open);
  find(".inside").hidden = !open;
  showInside();
}

async function showInside() {
  const mine = ++looked;
  if (!insideOpen()) return;
  if (!answer?.digits.length) return findAll(".inside img").forEach((image) => image.removeAttribute("src"));
  const inside = await askAbout("look_inside", { index: chosen });
  if (mine !== looked || inside.error) return;
  find(".seen").src = inside.seen;
  find(".seen").alt = say("Digit {place} as the network saw it", { place: chosen + 1 });
  find(".decided").src = inside.decided;
  find(".decided").alt = say("Which parts of digit {place} decided that it is {label}", {
    place: chosen + 1, label: inside.label,
  });
}
