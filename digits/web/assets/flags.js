// The tab of flagged pictures: found by what is wrong with them, given another label, deleted. Runs after common.js.
// The list is fetched whenever the tab comes into view: flags are made in the other tabs.

const kind = find("[name=kind]");
const wanted = find("[name=label]");
const list = find(".pictures");

let asked = 0; // number of the newest question: an answer to an older one is not shown

async function refresh() {
  await show(0);
}

async function show(start) {
  const mine = ++asked;
  const { flags, chosen, total, error } = await ask("list_flags", { kind: kind.value, label: wanted.value.trim(), start });
  if (error || mine !== asked) return;
  find(".summary").textContent = total === 0
    ? say("No picture is flagged yet. Flag one in the tab Draw: Right, or what it really is.")
    : say("{chosen} of {total} flagged pictures", { chosen, total });
  if (start === 0) list.replaceChildren();
  list.append(...flags.map(flagItem));
  find(".further").hidden = list.children.length >= chosen;
  find("a.button").hidden = find(".filter").hidden = total === 0;
}

function flagItem(flag) {
  const name = new Date(flag.time).toLocaleString(language);
  const picture = make("img", { src: `page/flags/${flag.id}`, alt: say("Picture flagged {time}", { time: name }), loading: "lazy" });
  const lines = (flag.label ?? "").split("\n");
  const label = make("textarea", { value: lines.join("\n"), rows: Math.min(lines.length, 4), cols: 10, inputMode: "numeric", autocomplete: "off" });
  label.setAttribute("aria-label", say("True label of the picture flagged {time}", { time: name }));
  const save = make("button", { type: "submit", textContent: say("Save") });
  label.addEventListener("input", () => { save.textContent = say("Save"); });
  const remove = make("button", { type: "button", textContent: say("Delete"), onclick: () => removeFlag(item, flag) });
  const refused = make("p", { className: "refused", hidden: true });
  refused.setAttribute("role", "alert");
  const verdict = make("p", { textContent: verdictOf(flag) });
  const form = make("form", {}, make("label", {}, `${say("It is")} `, label), save, remove);
  form.onsubmit = (event) => { event.preventDefault(); relabel(flag, label, { save, verdict, refused }); };
  const item = make("li", { data: { id: flag.id } },
    make("a", { href: `page/flags/${flag.id}?whole`, target: "_blank", title: say("Open the whole picture") }, picture),
    make("div", {}, verdict, make("small", { textContent: name }), form, refused));
  return item;
}

function verdictOf({ predicted, label, unsure }) {
  const read = predicted ? say("read as {text}", { text: predicted.replaceAll("\n", " / ") }) : say("read as no digit");
  const verdict = label === null ? "no label" : label === predicted ? "right" : "wrong";
  return [read, say(verdict), ...(unsure ? [say("unsure")] : [])].join(", ");
}

// What goes wrong is said at the item.
async function relabel(flag, label, { save, verdict, refused }) {
  const reply = await ask("relabel", { id: flag.id, label: label.value }, refused);
  if (reply.error) return;
  Object.assign(flag, reply);
  verdict.textContent = verdictOf(flag);
  save.textContent = say("Saved");
}

async function removeFlag(item, flag) {
  if ((await ask("delete_flag", { id: flag.id }, item.querySelector(".refused"))).error) return;
  const undo = make("button", { type: "button", textContent: say("Undo") });
  const gone = make("li", { className: "gone" }, make("span", { textContent: say("Deleted.") }), undo);
  undo.onclick = async () => {
    const { id, error } = await ask("restore_flag", { id: flag.id });
    if (!error) gone.replaceWith(flagItem({ ...flag, id }));
  };
  item.replaceWith(gone);
  undo.focus();
}

kind.addEventListener("change", refresh);
wanted.addEventListener("input", refresh);
find(".further").addEventListener("click", () => show(list.querySelectorAll("[data-id]").length));
new IntersectionObserver(([tab]) => { if (tab.isIntersecting) refresh(); }).observe(element);
