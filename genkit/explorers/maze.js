// A maze whose walls can be drawn; Q-learning, Dyna and value iteration learn it beside each other.
// state: { rows, step, goal, pit, coin, slip, alpha, gamma, start, epsilon, planning, limit }
// inputs: { rows, step, slip, epsilon, planning, seed, episodes, sweeps }
// run gives: the planner's values after some sweeps; the agent's table after some episodes; their lengths
function run(state, inputs) {
  const maze = { ...state, ...inputs, letters: [...inputs.rows.join("")], width: inputs.rows[0].length };
  const agent = newborn(maze, inputs.seed), lengths = [];
  while (lengths.length < inputs.episodes) if (act(maze, agent, inputs.planning)) lengths.push(agent.last);
  let v = maze.letters.map(() => 0);
  for (let k = 0; k < inputs.sweeps; k++) v = sweep(maze, v);
  return [...v, ...agent.q.flat(), ...lengths];
}

// the world
const TURNS = [[-1, 0], [0, 1], [1, 0], [0, -1]];  // up, right, down, left
function beside({ letters, width }, s, direction) {
  const row = Math.floor(s / width) + TURNS[direction][0], column = (s % width) + TURNS[direction][1];
  const free = row >= 0 && column >= 0 && column < width && row * width + column < letters.length;
  return free && letters[row * width + column] !== "#" ? row * width + column : s;
}
function reward(maze, arrived) {
  return maze.step + ({ G: maze.goal, X: maze.pit, c: maze.coin }[maze.letters[arrived]] ?? 0);
}
function ends(maze, s) {
  return "GXc".includes(maze.letters[s]);
}

// an agent: its table, its model, where it stands
function newborn(maze, seed) {
  const start = maze.letters.indexOf("S"), q = maze.letters.map(() => TURNS.map(() => maze.start));
  return { q, s: start, pairs: [], seen: new Map(), steps: 0, length: 0, last: 0, episodes: 0, own: random(seed), world: random(seed + 1) };
}
function choose(row, epsilon, next) {
  if (next() < epsilon) return Math.floor(row.length * next());
  const top = Math.max(...row), best = row.map((_, a) => a).filter((a) => row[a] === top);
  return best.length === 1 ? best[0] : best[Math.floor(best.length * next())];
}
function learn(maze, q, s, a, r, s2, done) {
  const target = done ? r : r + maze.gamma * Math.max(...q[s2]);
  q[s][a] += maze.alpha * (target - q[s][a]);
}
// one real step, and as many imagined ones as planning says; true where an episode is over
function act(maze, agent, planning) {
  const { q, pairs, seen, s } = agent, a = choose(q[s], maze.epsilon, agent.own);
  let turn = 0;
  if (maze.slip) {
    const u = agent.world();
    turn = u < maze.slip / 2 ? 3 : u < maze.slip ? 1 : 0;
  }
  const s2 = beside(maze, s, (a + turn) % 4), r = reward(maze, s2), done = ends(maze, s2);
  learn(maze, q, s, a, r, s2, done);
  agent.steps += 1;
  agent.length += 1;
  if (planning) {
    const key = 4 * s + a;
    if (!seen.has(key)) {
      seen.set(key, []);
      pairs.push(key);
    }
    seen.get(key).push([r, s2, done]);
  }
  for (let k = 0; k < planning; k++) {
    const key = pairs[Math.floor(pairs.length * agent.own())], outcomes = seen.get(key);
    learn(maze, q, Math.floor(key / 4), key % 4, ...outcomes[Math.floor(outcomes.length * agent.own())]);
  }
  agent.s = s2;
  if (!done && agent.length < maze.limit) return false;
  Object.assign(agent, { s: maze.letters.indexOf("S"), last: agent.length, length: 0, episodes: agent.episodes + 1 });
  return true;
}

// the planner
function worth(maze, v, s) {  // of the four actions, when what follows is worth v
  const one = (direction) => {
    const s2 = beside(maze, s, direction % 4);
    return reward(maze, s2) + maze.gamma * v[s2];
  };
  return TURNS.map((_, a) => (1 - maze.slip) * one(a) + (maze.slip / 2) * (one(a + 3) + one(a + 1)));
}
function sweep(maze, v) {
  return v.map((_, s) => (".S".includes(maze.letters[s]) ? Math.max(...worth(maze, v, s)) : 0));
}
// steps of the way that always follows the best action, without slips; null where it never arrives
function way(maze, q) {
  let s = maze.letters.indexOf("S");
  for (let n = 0; n < maze.letters.length; n++) {
    if (maze.letters[s] === "G") return n;
    if (ends(maze, s)) return null;
    const row = q(s);
    s = beside(maze, s, row.indexOf(Math.max(...row)));
  }
  return null;
}

function render(state, element) {
  const BRUSHES = { "#": "a wall", ".": "nothing", X: "a pit", c: "a coin" };
  const maze = { ...state, letters: [...state.rows.join("")], width: state.rows[0].length }, height = state.rows.length;
  let learners, v, sweeps, cursor = 1, timer = null, brush = "#", painting = null;
  // three pictures of the same maze
  const panels = ["Q-learning", "Dyna", "value iteration"].map((name, which) => {
    const focus = which === 2 ? { tabindex: 0 } : {};
    const room = svg("svg", { viewBox: `-.1 -.1 ${maze.width + 0.2} ${height + 0.2}`, class: "gk-maze", role: "img", ...focus });
    const squares = maze.letters.map((_, s) => {
      const group = svg("g", { transform: `translate(${s % maze.width} ${Math.floor(s / maze.width)})` }, room);
      return { box: svg("rect", { width: 1, height: 1 }, group), arrow: svg("path", { class: "gk-arrow" }, group), sign: svg("text", { x: 0.5, y: 0.72, "text-anchor": "middle" }, group) };
    });
    const robot = svg("circle", { r: 0.3, class: "gk-robot" }, room), frame = svg("rect", { width: 1, height: 1, class: "gk-cursor" }, room);
    const caption = make("p", { className: "gk-now" });
    room.addEventListener("pointerdown", (event) => { painting = null; paint(event, room); });
    room.addEventListener("pointermove", (event) => event.buttons && paint(event, room));
    return { name, room, squares, robot, frame, caption, whole: make("div", { className: "gk-world" }, make("b", {}, name), room, caption) };
  });
  const map = panels[2].room;
  map.addEventListener("keydown", (event) => {
    const moved = { ArrowUp: -maze.width, ArrowDown: maze.width, ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (moved === undefined && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    const sideways = Math.abs(moved) === 1 && Math.floor((cursor + moved) / maze.width) !== Math.floor(cursor / maze.width);
    if (moved === undefined) put(cursor, maze.letters[cursor] === brush ? "." : brush);
    else if (!sideways && maze.letters[cursor + moved] !== undefined) cursor += moved;
    draw();
  });
  function paint(event, room) {
    const box = room.getBoundingClientRect(), scale = box.width / (maze.width + 0.2);
    const column = Math.floor((event.clientX - box.left) / scale - 0.1), row = Math.floor((event.clientY - box.top) / scale - 0.1);
    if (row < 0 || column < 0 || row >= height || column >= maze.width) return;
    cursor = row * maze.width + column;
    painting ??= maze.letters[cursor] === brush ? "." : brush;
    put(cursor, painting);
    draw();
  }
  function put(s, letter) {  // start and goal stay; the learners keep what they have learned of the old maze
    if ("SG".includes(maze.letters[s]) || maze.letters[s] === letter) return;
    maze.letters[s] = letter;
    for (const agent of learners) if (".S".includes(maze.letters[agent.s]) === false) agent.s = maze.letters.indexOf("S");
    v = maze.letters.map(() => 0);
    sweeps = 0;
  }

  // what can be done
  const slide = (label, name, from, to, by, written) => {
    const input = make("input", { type: "range", min: from, max: to, step: by, value: maze[name] }), shown = make("span", { className: "gk-knob" });
    const say = () => {
      shown.textContent = written(maze[name]);
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.addEventListener("input", () => {
      maze[name] = Number(input.value);
      say();
      if (name === "slip" || name === "step") { v = maze.letters.map(() => 0); sweeps = 0; }
      draw();
    });
    say();
    return make("label", {}, label, make("span", { className: "gk-slide" }, input, shown));
  };
  const signed = (x) => x.toFixed(2).replace("-", "−"), percent = (x) => `${Math.round(100 * x)} %`;
  const select = make("select");
  for (const [value, textContent] of Object.entries(BRUSHES)) select.append(make("option", { value, textContent }));
  select.addEventListener("change", () => { brush = select.value; });
  const button = (text, action) => {
    const made = make("button", { type: "button", textContent: text });
    made.addEventListener("click", action);
    return made;
  };
  const play = button("run", () => (timer === null ? go() : halt()));
  const buttons = make("div", { className: "gk-buttons" }, button("one step", () => step(1)), button("100 steps", () => step(100)), play, button("start again", () => { halt(); restart(); }));
  const said = make("output");
  const controls = make("div", { className: "gk-controls" },
    slide("slips ", "slip", 0, 0.6, 0.05, percent), slide("a step ", "step", -0.3, 0.1, 0.01, signed),
    slide("tries ", "epsilon", 0, 1, 0.05, percent), slide("imagines ", "planning", 1, 50, 1, (n) => `${n}`),
    make("label", {}, "draw ", select), buttons, said);
  const plot = svg("svg", { viewBox: "0 0 240 110", class: "gk-plot", role: "img" });
  svg("text", { x: 2, y: 12 }, plot, "steps of each episode: solid Q-learning, dashed Dyna");
  const curves = [svg("polyline", { class: "gk-trace gk-plain" }, plot), svg("polyline", { class: "gk-trace gk-dreamer" }, plot)];
  svg("text", { x: 2, y: 106 }, plot, "real steps →");
  element.append(make("div", { className: "gk-row gk-top" }, ...panels.map((p) => p.whole)), make("div", { className: "gk-row gk-top" }, controls, make("div", { className: "gk-plots" }, plot)));

  function go() {
    timer = setInterval(() => step(2), 60);
    play.textContent = "stop";
  }
  function halt() {
    clearInterval(timer);
    timer = null;
    play.textContent = "run";
  }
  function step(times) {
    for (let k = 0; k < times; k++) {
      learners.forEach((agent, which) => act(maze, agent, which ? maze.planning : 0) && agent.story.push([agent.steps, agent.last]));
      v = sweep(maze, v);
      sweeps += 1;
    }
    draw();
  }
  function restart() {
    learners = [newborn(maze, 1), newborn(maze, 1)];
    for (const agent of learners) agent.story = [];
    v = maze.letters.map(() => 0);
    sweeps = 0;
    draw();
  }
  function draw() {
    if (!element.isConnected && timer !== null) return halt();
    const planned = (s) => worth(maze, v, s), tables = [(s) => learners[0].q[s], (s) => learners[1].q[s], planned];
    const names = { G: "G", X: "✕", c: "¢", S: "S" }, words = [];
    panels.forEach((panel, which) => {
      const q = tables[which], agent = learners[which];
      panel.squares.forEach(({ box, arrow, sign }, s) => {
        const letter = maze.letters[s], row = ".S".includes(letter) ? q(s) : [0], top = Math.max(...row);
        box.setAttribute("class", letter === "#" ? "gk-wall" : "gk-square");
        box.setAttribute("fill-opacity", letter === "#" ? 1 : row.length > 1 ? Math.max(0, Math.min(0.92, (0.3 + top) / 1.4)) : 0);
        const plain = row.length > 1 && top - Math.min(...row) > 1e-9;
        arrow.setAttribute("d", plain ? "M.5 .26L.68 .64L.5 .54L.32 .64Z" : "");
        arrow.setAttribute("transform", `rotate(${90 * row.indexOf(top)} .5 .5)`);
        sign.textContent = letter === "S" && plain ? "" : (names[letter] ?? "");
      });
      panel.frame.setAttribute("x", cursor % maze.width);
      panel.frame.setAttribute("y", Math.floor(cursor / maze.width));
      panel.frame.setAttribute("visibility", which === 2 ? "visible" : "hidden");
      panel.robot.setAttribute("visibility", agent ? "visible" : "hidden");
      if (agent) {
        panel.robot.setAttribute("cx", (agent.s % maze.width) + 0.5);
        panel.robot.setAttribute("cy", Math.floor(agent.s / maze.width) + 0.5);
      }
      const found = way(maze, q), best = found === null ? "no way yet" : `a way of ${found} steps`;
      const story = agent ? `${agent.episodes} episodes, ${agent.steps} steps` : `${sweeps} sweeps`;
      panel.caption.textContent = `${story}: ${best}`;
      panel.room.setAttribute("aria-label", `The maze as ${panel.name} sees it, after ${story}: ${best}.${which === 2 ? ` Cursor on row ${Math.floor(cursor / maze.width) + 1}, column ${(cursor % maze.width) + 1}: ${{ S: "the start", G: "the goal" }[maze.letters[cursor]] ?? BRUSHES[maze.letters[cursor]]}. Arrow keys move it, Enter draws.` : ""}`);
      words.push(`${panel.name} ${best}`);
    });
    const most = Math.max(1, ...learners.map((agent) => agent.steps)), tall = Math.max(1, ...learners.flatMap((agent) => agent.story.map(([, n]) => n)));
    curves.forEach((curve, which) => curve.setAttribute("points", learners[which].story.map(([at, n]) => `${(238 * at) / most},${94 - (74 * n) / tall}`).join(" ")));
    plot.setAttribute("aria-label", `Steps of each episode over ${most} real steps; the longest took ${tall}.`);
    said.textContent = words.join("; ");
  }
  restart();
}
