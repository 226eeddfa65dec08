// Shows on the landing page what this reader has done. genkit/exercises/progress.js writes it, and says how:
// localStorage["genkit-progress"] = { "models/vae": { quiz: { "1": { choice, right } }, questions, solved: { kl: true }, exercises } }
(() => {
  const KEY = "genkit-progress";
  const card = document.getElementById("reader-progress");
  if (!card) return;
  const empty = card.innerHTML;
  const make = (tag, text = "", name = "") => Object.assign(document.createElement(tag), { textContent: text, className: name });
  const object = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});
  const read = () => { try { return object(JSON.parse(localStorage.getItem(KEY))); } catch { return {}; } };

  // the plan on this very page knows the chapters that can be read, their titles and their addresses
  const links = [...document.querySelectorAll(".roadmap a")];
  const linkTo = (chapter) => links.find((a) => new URL(a.href).pathname.endsWith(`/notebooks/${chapter}.html`));

  function count(mine) {
    const quiz = Object.values(object(mine.quiz)).map(object);
    const solved = Object.values(object(mine.solved)).filter((tick) => tick === true).length;
    const at = (total, least) => Math.max(Number.isFinite(total) ? total : 0, least);
    return {
      right: quiz.filter((q) => q.right === true).length, answered: quiz.length, questions: at(mine.questions, quiz.length),
      solved, exercises: at(mine.exercises, solved),
    };
  }
  function bar(value, most, words) {
    const meter = make("meter");
    Object.assign(meter, { min: 0, max: most, value });
    meter.setAttribute("aria-label", words);
    const line = make("li");
    line.append(make("span", words, "progress-detail"), meter);
    return line;
  }
  function show() {
    const chapters = Object.entries(read()).map(([name, mine]) => ({ name, link: linkTo(name), ...count(object(mine)) }))
      .filter((c) => c.link && c.answered + c.solved > 0);
    card.innerHTML = empty;
    if (!chapters.length) return;
    card.replaceChildren();
    for (const c of chapters) {
      const title = make("p"), link = make("a", c.link.textContent);
      link.href = c.link.href;
      title.append(link);
      const list = make("ul");
      if (c.questions) list.append(bar(c.right, c.questions, `Quiz: ${c.right} of ${c.questions} right, ${c.answered} answered`));
      if (c.exercises) list.append(bar(c.solved, c.exercises, `Exercises: ${c.solved} of ${c.exercises} solved`));
      card.append(title, list);
    }
    const note = make("p", "Kept in this browser only. ", "progress-detail"), forget = make("button", "Forget it");
    forget.type = "button";
    forget.addEventListener("click", () => {
      if (!confirm("Forget all answers and ticks of this book?")) return;
      localStorage.removeItem(KEY);
      show();
    });
    note.append(forget);
    card.append(note);
  }
  show();
  addEventListener("storage", (event) => { if (event.key === KEY || event.key === null) show(); });
  addEventListener("pageshow", show); // also when the reader comes back by the browser's button
})();
