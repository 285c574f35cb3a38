// What the scripts of all tabs share. `element` is the tab, `server` holds the functions of actions.py.

const find = (selector) => element.querySelector(selector);
const findAll = (selector) => [...element.querySelectorAll(selector)];
const button = (name) => find(`[data-do="${name}"]`);

const make = (tag, properties = {}, ...children) => {
  const { data = {}, ...others } = properties;
  const made = Object.assign(document.createElement(tag), others);
  Object.assign(made.dataset, data);
  made.append(...children);
  return made;
};

const remembered = (key, fallback, storage = "localStorage") => {
  try { return window[storage].getItem(key) ?? fallback; } catch { return fallback; } // storage may be forbidden
};

const remember = (key, value, storage = "localStorage") => {
  try { window[storage].setItem(key, value); } catch { /* it then holds for this visit only */ }
};

function notice(sentence, place = find(".notice")) {
  place.textContent = sentence ?? "";
  place.hidden = !sentence;
}

const LOST = { error: "The server does not answer. Is the program still running?", lost: true };

// The server's reply; what went wrong is shown at `place` until the next question, and stands in `error`. A request that failed is
// `lost`; a picture that the server does not know any more is `forgotten`, which the page mends by itself.
async function ask(name, question, place = find(".notice")) {
  notice("", place);
  const reply = (await server[name](question)) ?? LOST; // Gradio gives undefined for a request that failed
  if (reply.error && !reply.forgotten) notice(sayPlain(reply.error), place);
  return reply;
}

// The page may be built anew (Gradio does so when it reconnects); then these listeners go with their element.
function listenOnPage(name, handler) {
  document.addEventListener(name, function listener(event) {
    if (!element.isConnected) return document.removeEventListener(name, listener);
    handler(event);
  });
}
