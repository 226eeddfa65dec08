// Quizzes that answer, and a memory for them, in the reader's own browser: no account, nothing is sent anywhere.
//
// localStorage["genkit-progress"] is JSON:
//   { "models/vae": { "quiz": { "<id of a question>": { "choice": 2, "right": true } }, "questions": 7,
//                     "solved": { "kl": true }, "exercises": 8 } }
// A question's id is made of its words, so that an answer is forgotten when the question has changed.
(() => {
  if (window.genkitProgress) { window.genkitProgress(); return; }
  const KEY = "genkit-progress";
  const object = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});
  const read = () => { try { return object(JSON.parse(localStorage.getItem(KEY))); } catch { return {}; } };
  const recall = (chapter) => {
    const mine = object(read()[chapter]);
    return { ...mine, quiz: object(mine.quiz), solved: object(mine.solved) };
  };
  const keep = (chapter, change) => {
    const all = read(), mine = { questions: 0, exercises: 0, ...recall(chapter) };
    change(mine);
    all[chapter] = mine;
    try { localStorage.setItem(KEY, JSON.stringify(all)); } catch { /* a page that may not store still answers */ }
  };

  // Choose an option of a question, and say what that choice deserves.
  const answer = (field, choice) => {
    const option = [...field.querySelectorAll("input")].find((input) => input.value === String(choice));
    if (!option) return undefined;
    const right = option.dataset.right === "true";
    option.checked = true;
    field.dataset.state = right ? "right" : "wrong";
    const note = field.querySelector(`.gk-feedback[data-for="${option.value}"]`);
    field.querySelector(".gk-said").textContent = (right ? "✓ Right. " : "✗ Not so. ") + note.textContent;
    return right;
  };

  const score = (quiz) => {
    const states = [...quiz.querySelectorAll("[data-gk-question]")].map((field) => field.dataset.state);
    const right = states.filter((state) => state === "right").length;
    quiz.querySelector(".gk-score").textContent = states.some(Boolean) ? `${right} of ${states.length} right so far.` : "";
  };

  // Arrow keys only move: with a keyboard, too, every option can be read before one is chosen.
  const walk = (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation(); // a page may turn itself with the arrow keys
    const options = [...event.currentTarget.querySelectorAll("input")];
    options[(options.indexOf(event.target) + step + options.length) % options.length].focus();
  };

  const setUpQuiz = (quiz) => {
    quiz.dataset.gkReady = "";
    const chapter = quiz.dataset.gkQuiz, fields = [...quiz.querySelectorAll("[data-gk-question]")];
    const known = recall(chapter).quiz, present = new Set(fields.map((field) => field.dataset.gkId));
    if (Object.keys(known).some((id) => !present.has(id)))
      keep(chapter, (mine) => { mine.quiz = Object.fromEntries(Object.entries(known).filter(([id]) => present.has(id))); });
    for (const field of fields) {
      const id = field.dataset.gkId;
      if (known[id]) answer(field, object(known[id]).choice);
      field.addEventListener("keydown", walk);
      field.addEventListener("change", (event) => {
        const choice = Number(event.target.value), right = answer(field, choice);
        keep(chapter, (mine) => { mine.quiz[id] = { choice, right }; mine.questions = fields.length; });
        score(quiz);
      });
    }
    score(quiz);
  };

  const setUpTick = (box) => {
    box.dataset.gkReady = "";
    const chapter = box.dataset.gkChapter, name = box.dataset.gkExercise;
    box.checked = recall(chapter).solved[name] === true;
    box.addEventListener("change", () => {
      keep(chapter, (mine) => { mine.solved[name] = box.checked; mine.exercises = Number(box.dataset.gkTotal); });
    });
  };

  const setUp = () => {
    document.querySelectorAll("[data-gk-quiz]:not([data-gk-ready])").forEach(setUpQuiz);
    document.querySelectorAll("[data-gk-exercise]:not([data-gk-ready])").forEach(setUpTick);
  };
  window.genkitProgress = setUp;
  window.genkitWalk = walk;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", setUp); else setUp();
})();
