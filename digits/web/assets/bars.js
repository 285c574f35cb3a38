// The chosen digit: its most probable labels, each of which corrects it by a tap, and all ten probabilities.

const TELLING = 0.001; // a rival that is less probable is not worth a bar

function showBars() {
  const digit = answer?.digits[chosen];
  const ranked = (digit?.probabilities ?? []).map((probability, label) => ({ label, probability }))
    .sort((a, b) => b.probability - a.probability);
  find(".bars").dataset.verdict = digit?.verdict ?? "";
  find(".bars").replaceChildren(...ranked.slice(0, 3).filter(({ probability }, i) => i === 0 || probability >= TELLING)
    .map(barOf));
  const many = answer?.digits.length > 1;
  find(".which").textContent = many ? say("Digit {place} of {count}", { place: chosen + 1, count: answer.digits.length }) : "";
  find(".verdict").textContent = digit && digit.verdict !== "sure" && many ? say(sentence(digit.verdict)) : "";
  find(".ten").replaceChildren(...Array.from({ length: 10 }, (_, label) => columnOf(label, digit)));
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

function barOf({ label, probability }) {
  return make("li", {}, correctionButton(label, probability, { className: "bar" },
    make("b", { textContent: label }),
    make("i", {}, Object.assign(make("i"), { style: `width: ${100 * probability}%` })),
    make("span", { textContent: percent(probability) })));
}

function columnOf(label, digit) {
  const probability = digit?.probabilities[label] ?? 0;
  const column = correctionButton(label, probability, { className: "column", disabled: !digit },
    make("i", {}, Object.assign(make("i"), { style: `height: ${100 * probability}%` })), make("b", { textContent: label }));
  column.classList.toggle("best", digit?.label === label);
  return make("li", {}, column);
}

function correctionButton(label, probability, properties, ...children) {
  const made = make("button", { type: "button", onclick: () => correctDigit(chosen, label), ...properties }, ...children);
  made.title = say("Correct it to {label}", { label });
  made.setAttribute("aria-label", `${label}: ${percent(probability)}. ${made.title}`);
  return made;
}
