// The tab of flagged pictures: each can be given another label or be deleted. Runs after common.js.
// The list is fetched whenever the tab comes into view: flags are made in the other tabs.

async function refresh() {
  const { flags, total, error } = await ask("list_flags", {});
  if (error) return;
  find(".summary").textContent = total === 0
    ? "No picture is flagged yet. Flag one in the tab Draw: Right, or Wrong with what it really is."
    : `${total} flagged ${total === 1 ? "picture" : "pictures"}${total > flags.length ? `, the newest ${flags.length} shown` : ""}`;
  find(".pictures").replaceChildren(...flags.map(flagItem));
}

function flagItem(flag) {
  const name = `flagged ${new Date(flag.time).toLocaleString()}`;
  const label = make("input", { type: "text", value: flag.label ?? "", size: 8, inputMode: "numeric", autocomplete: "off" });
  label.setAttribute("aria-label", `True label of the picture ${name}`);
  const save = make("button", { type: "submit", textContent: "Save" });
  const remove = make("button", { type: "button", textContent: "Delete", onclick: () => removeFlag(flag, remove) });
  label.addEventListener("input", () => { save.textContent = "Save"; });
  const form = make("form", { onsubmit: (event) => { event.preventDefault(); relabel(item, flag.id, label.value); } },
    make("label", { textContent: "It is " }, label), save, remove);
  const said = flag.predicted === "" ? "read as no digit" : `read as ${flag.predicted.replace("\n", " / ")}`;
  const verdict = flag.label === null ? "no label" : flag.label === flag.predicted ? "right" : "wrong";
  const item = make("li", {},
    make("img", { src: flag.thumbnail, alt: `Picture ${name}`, loading: "lazy" }),
    make("div", {}, make("p", { textContent: `${said}: ${verdict}` }), make("small", { textContent: name }), form));
  item.dataset.id = flag.id;
  return item;
}

// Only this item is made anew: what is being typed into another stays.
async function relabel(item, id, label) {
  const flag = await ask("relabel", { id, label });
  if (flag.error) return;
  const mended = flagItem(flag);
  item.replaceWith(mended);
  const save = mended.querySelector("[type=submit]");
  save.textContent = "Saved";
  save.focus();
}

// The first click asks, the second deletes: what is deleted is gone.
async function removeFlag(flag, remove) {
  if (remove.textContent === "Delete") { remove.textContent = "Really delete?"; return; }
  if (!(await ask("delete_flag", { id: flag.id })).error) refresh();
}

new IntersectionObserver(([tab]) => { if (tab.isIntersecting) refresh(); }).observe(element);
