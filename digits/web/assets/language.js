// The page in the language of the browser. English stands in the code, and is the key of what languages/*.json say.

const translations = window.gradio_config?.i18n_translations ?? {};
const languages = navigator.languages.map((tag) => tag.split("-")[0]);
const language = languages.slice(0, 1).find((each) => each in translations) ?? "en"; // as Gradio chooses for the tabs
const words = translations[language] ?? {};

const say = (text, values = {}) => (words[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => values[name]);

const NUMBER = /-?\d(?:[\d.,x:/+=-]*\d)?/g; // with its signs

// A sentence of the server: its numbers stand as # in the key.
function sayPlain(sentence) {
  const numbers = sentence.match(NUMBER) ?? [];
  const translated = words[sentence.replace(NUMBER, "#")];
  return translated?.replace(/#/g, () => numbers.shift()) ?? sentence;
}

const decimals = new Intl.NumberFormat(`${language}-u-nu-latn`, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

function percent(probability) {
  const sign = probability > 0.999 ? "> " : probability < 0.001 ? "< " : "";
  const shown = Math.min(Math.max(100 * probability, 0.1), 99.9);
  return ltr(`${sign}${decimals.format(shown)} %`);
}

// Within text from right to left, what still reads from left to right.
const ltr = (text) => (language === "ar" ? `\u2066${text}\u2069` : text);

function translate() {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data;
    if (text.trim() in words) texts.currentNode.data = text.replace(text.trim(), words[text.trim()]);
  }
  for (const name of ["title", "aria-label", "aria-roledescription"]) {
    for (const each of element.querySelectorAll(`[${name}]`)) each.setAttribute(name, say(each.getAttribute(name)));
  }
  element.lang = language;
  element.dir = language === "ar" ? "rtl" : "ltr";
}

translate();
