// What the scripts of all tabs share. `element` is the tab, `server` holds the functions of actions.py.

const find = (selector) => element.querySelector(selector);

const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

function notice(sentence) {
  find(".notice").textContent = sentence ?? "";
  find(".notice").hidden = !sentence;
}

// The server's reply; what went wrong is shown until the next question, and stands in `error`.
async function ask(name, question) {
  notice();
  const silence = { error: "The server does not answer. Is the program still running?" };
  const reply = (await server[name](question)) ?? silence; // Gradio gives undefined for a request that failed
  if (reply.error) notice(reply.error);
  return reply;
}
