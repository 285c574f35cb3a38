// The lesson: the model learns, in sight, behind its gate, and what it has learned can be taken back.

const LOOK_AGAIN = 1000; // ms

const trouble = () => find(".lesson .notice");

async function teach() {
  const begun = await ask("teach", {}, trouble());
  if (!begun.error) follow(begun);
}

// After a reload: the lesson goes on in sight, and what the last one brought can still be taken back.
async function pickUp() {
  const lesson = await ask("lesson", {}, trouble());
  if (lesson.running || lesson.result) follow(lesson);
}

async function follow(lesson) {
  button("teach").disabled = lesson.running;
  find(".taught").hidden = !lesson.running;
  find(".taught").value = lesson.done ?? 0;
  if (!lesson.running) return showEnd(lesson);
  find(".step").textContent = `${say(lesson.step)} (${lesson.seconds} s)`;
  await new Promise((resolve) => { setTimeout(resolve, LOOK_AGAIN); });
  const next = await ask("lesson", {}, trouble());
  follow(next.lost ? lesson : next); // a server that was away is asked again
}

function showEnd({ result, error, seconds }) {
  find(".step").textContent = "";
  if (error) notice(sayPlain(error), trouble());
  if (!result) return;
  find(".step").textContent = result.model_id
    ? say("The model has learned in {seconds} s, and answers from now on.", { seconds })
    : say("The model stays as it is: it would have got worse where the table says so.");
  button("rollback").hidden = !result.model_id;
  find("table").hidden = false;
  find("tbody").replaceChildren(...result.conditions.map(({ name, before, after, passed }) => {
    const row = make("tr", {}, ...[sayPlain(name), before.toFixed(4), after.toFixed(4)].map((textContent) => make("td", { textContent })));
    row.classList.toggle("failed", !passed);
    return row;
  }));
}

async function rollBack() {
  if ((await ask("roll_back", {}, trouble())).error) return;
  button("rollback").hidden = true;
  find(".step").textContent = say("The model before answers again.");
}
