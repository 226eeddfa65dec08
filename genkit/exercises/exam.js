// A test before a part and one after it. Answers are judged when the last one is given, and compared when both are whole.
//
// It stands after progress.js, whose way with the arrow keys it shares.
//
// localStorage["genkit-exams"] is JSON: { "learning": { "before": { "<id of a question>": 2, … }, "after": { … } } }
(() => {
  if (window.genkitExams) { window.genkitExams(); return; }
  const KEY = "genkit-exams", MARKS = "genkit-exam-marks";
  const object = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});
  const read = (key) => { try { return object(JSON.parse(localStorage.getItem(key))); } catch { return {}; } };
  const keep = (key, part, when, value) => {
    const all = read(key);
    all[part] = { ...object(all[part]), [when]: value };
    try { localStorage.setItem(key, JSON.stringify(all)); } catch { /* a page that may not store still answers */ }
  };
  const recall = (key, part, when) => object(read(key)[part])[when];

  const setUp = (exam) => {
    exam.dataset.gkReady = "";
    const { gkExam: part, gkWhen: when } = exam.dataset, ideas = JSON.parse(exam.dataset.gkIdeas);
    const fields = [...exam.querySelectorAll("[data-gk-question]")];
    const score = exam.querySelector(".gk-score"), again = exam.querySelector(".gk-again"), compared = exam.querySelector(".gk-compared");
    let choices = {};

    const chosen = (field) => {
      const value = choices[field.dataset.gkId];
      return [...field.querySelectorAll("input")].find((input) => input.value === String(value));
    };
    const judge = () => {
      const marks = fields.map((field) => chosen(field).dataset.right === "true");
      fields.forEach((field, i) => {
        const note = field.querySelector(`.gk-feedback[data-for="${chosen(field).value}"]`);
        field.dataset.state = marks[i] ? "right" : "wrong";
        field.querySelector(".gk-said").textContent = (marks[i] ? "✓ Right. " : "✗ Not so. ") + note.textContent;
        for (const input of field.querySelectorAll("input")) input.disabled = true;
      });
      keep(MARKS, part, when, marks);
      const right = marks.filter(Boolean).length;
      score.textContent = `${right} of ${marks.length} right.`;
      again.hidden = false;
      compare(marks, right);
    };
    const compare = (marks, right) => {
      const first = recall(MARKS, part, "before");
      if (when !== "after" || !Array.isArray(first) || first.length !== marks.length) return;
      const then = first.filter((mark) => mark === true).length;
      score.textContent = `${right} of ${marks.length} right. Before you began it was ${then}.`;
      const list = document.createElement("ul");
      ideas.forEach((idea, i) => {
        const item = document.createElement("li");
        const change = first[i] === true ? (marks[i] ? "known before, and still" : "known before, and lost") : marks[i] ? "learned" : "still open";
        item.textContent = `${idea}: ${change}`;
        list.append(item);
      });
      compared.replaceChildren(list);
    };
    const show = () => {
      const given = fields.filter(chosen).length;
      for (const field of fields) if (chosen(field)) chosen(field).checked = true;
      if (given === fields.length) judge();
      else score.textContent = given ? `${given} of ${fields.length} answered. The answers come with the last one.` : "";
    };
    const clear = () => {
      choices = {};
      for (const field of fields) {
        delete field.dataset.state;
        field.querySelector(".gk-said").textContent = "";
        for (const input of field.querySelectorAll("input")) { input.disabled = false; input.checked = false; }
      }
      compared.replaceChildren();
      again.hidden = true;
    };

    for (const field of fields) {
      field.addEventListener("keydown", window.genkitWalk);
      field.addEventListener("change", (event) => {
        choices[field.dataset.gkId] = Number(event.target.value);
        keep(KEY, part, when, choices);
        show();
      });
    }
    again.addEventListener("click", () => { clear(); keep(KEY, part, when, {}); show(); fields[0].querySelector("input").focus(); });
    choices = { ...object(recall(KEY, part, when)) };
    show();
  };

  const all = () => document.querySelectorAll("[data-gk-exam]:not([data-gk-ready])").forEach(setUp);
  window.genkitExams = all;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all); else all();
})();
