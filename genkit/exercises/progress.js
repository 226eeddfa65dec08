// Quizzes that answer, and a memory for them, in the reader's own browser: no account, nothing is sent anywhere.
//
// localStorage["genkit-progress"] is JSON:
//   { "models/vae": { "quiz": { "1": { "choice": 2, "right": true } }, "questions": 7,
//                     "solved": { "kl": true }, "exercises": 8 } }
(() => {
  if (window.genkitProgress) { window.genkitProgress(); return; }
  const KEY = "genkit-progress";
  const read = () => { try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; } };
  const keep = (chapter, change) => {
    const all = read();
    const mine = { quiz: {}, solved: {}, questions: 0, exercises: 0, ...all[chapter] };
    change(mine);
    all[chapter] = mine;
    try { localStorage.setItem(KEY, JSON.stringify(all)); } catch { /* a page that may not store still answers */ }
  };

  const answer = (field, choice) => {
    const option = field.querySelector(`input[value="${choice}"]`);
    if (!option) return;
    option.checked = true;
    for (const note of field.querySelectorAll(".gk-feedback")) note.hidden = note.dataset.for !== String(choice);
    const right = option.dataset.right === "true";
    field.dataset.state = right ? "right" : "wrong";
    const said = field.querySelector(".gk-said");
    const note = field.querySelector(`.gk-feedback[data-for="${choice}"]`);
    note.hidden = true;
    said.textContent = (right ? "✓ Right. " : "✗ Not so. ") + note.textContent;
    return right;
  };

  const score = (quiz) => {
    const fields = [...quiz.querySelectorAll("[data-gk-question]")];
    const done = fields.filter((f) => f.dataset.state), right = done.filter((f) => f.dataset.state === "right");
    quiz.querySelector(".gk-score").textContent = done.length ? `${right.length} of ${fields.length} right so far.` : "";
  };

  const setUp = () => {
    for (const quiz of document.querySelectorAll("[data-gk-quiz]:not([data-gk-ready])")) {
      quiz.dataset.gkReady = "";
      const chapter = quiz.dataset.gkQuiz, known = read()[chapter]?.quiz ?? {};
      for (const field of quiz.querySelectorAll("[data-gk-question]")) {
        const number = field.dataset.gkQuestion;
        if (known[number]) answer(field, known[number].choice);
        field.addEventListener("change", (event) => {
          const choice = Number(event.target.value), right = answer(field, choice);
          keep(chapter, (mine) => { mine.quiz[number] = { choice, right }; mine.questions = Number(quiz.dataset.gkTotal); });
          score(quiz);
        });
      }
      score(quiz);
    }
    for (const box of document.querySelectorAll("[data-gk-exercise]:not([data-gk-ready])")) {
      box.dataset.gkReady = "";
      const chapter = box.dataset.gkChapter, name = box.dataset.gkExercise;
      box.checked = Boolean(read()[chapter]?.solved?.[name]);
      box.addEventListener("change", () => {
        const total = new Set([...document.querySelectorAll(`[data-gk-chapter="${chapter}"]`)].map((b) => b.dataset.gkExercise)).size;
        keep(chapter, (mine) => { mine.solved[name] = box.checked; mine.exercises = total; });
      });
    }
  };
  window.genkitProgress = setUp;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", setUp); else setUp();
})();
