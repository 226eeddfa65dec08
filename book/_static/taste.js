// The landing page's live picture: noise carried to data by the exact flow of a diffusion process.
//
// The data are bells (Gaussians of deviation STD around `centres`). At time t a point is x_t = a·x_0 + s·eps with
// a = cos(πt/2), s = sin(πt/2): t = 0 is data, t = 1 is noise. For bells the expected x_0 and eps given x_t have
// formulas, and dx/dt = a'·E[x_0 | x_t] + s'·E[eps | x_t] (Song et al. 2021, eq. 13) carries noise to data.

(() => {
const STD = 0.09;

function velocity(x, y, t, centres) {
  const a = Math.cos((Math.PI * t) / 2), s = Math.sin((Math.PI * t) / 2);
  const da = (-Math.PI / 2) * s, ds = (Math.PI / 2) * a;
  const spread = a * a * STD * STD + s * s;
  let total = 0, meanX = 0, meanY = 0, nearest = Infinity;
  for (const [cx, cy] of centres) nearest = Math.min(nearest, (x - a * cx) ** 2 + (y - a * cy) ** 2);
  for (const [cx, cy] of centres) {
    const w = Math.exp((nearest - (x - a * cx) ** 2 - (y - a * cy) ** 2) / (2 * spread));
    total += w; meanX += w * cx; meanY += w * cy;
  }
  meanX /= total; meanY /= total;
  const pull = (da * a * STD * STD + ds * s) / spread; // how both expectations move with x − a·centre
  return [da * meanX + pull * (x - a * meanX), da * meanY + pull * (y - a * meanY)];
}

// Every point's way from t = 1 (row 0) to t = 0 (last row), by Heun's method.
function paths(noise, centres, steps = 48) {
  const rows = [noise];
  for (let i = 0; i < steps; i++) {
    const t = 1 - i / steps, h = -1 / steps;
    rows.push(rows[i].map(([x, y]) => {
      const [u, v] = velocity(x, y, t, centres);
      const [p, q] = velocity(x + h * u, y + h * v, t + h, centres);
      return [x + (h * (u + p)) / 2, y + (h * (v + q)) / 2];
    }));
  }
  return rows;
}

function normals(n, random = Math.random) {
  return Array.from({ length: n }, () => {
    const r = Math.sqrt(-2 * Math.log(1 - random())), angle = 2 * Math.PI * random();
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });
}

const turn = (k, n, r) => [r * Math.cos((2 * Math.PI * k) / n), r * Math.sin((2 * Math.PI * k) / n)];
const SHAPES = {
  ring: Array.from({ length: 8 }, (_, k) => turn(k, 8, 1.7)),
  spiral: Array.from({ length: 36 }, (_, k) => turn(k, 16, 0.25 + k / 22)),
  smile: [[-0.7, 0.8], [0.7, 0.8], ...Array.from({ length: 13 }, (_, k) => turn(k + 14, 24, 1.5)).slice(0, 9), ...Array.from({ length: 48 }, (_, k) => turn(k, 48, 2.15))],
};

function start(root) {
  const canvas = root.querySelector("canvas"), pen = canvas.getContext("2d");
  const slider = root.querySelector("input"), out = root.querySelector("output");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const half = 3;
  let noise = normals(700), centres = SHAPES.ring, rows = paths(noise, centres), own = false, frame = 0;

  function draw() {
    const size = canvas.clientWidth || 400, dpr = devicePixelRatio || 1;
    if (canvas.width !== Math.round(size * dpr)) canvas.width = canvas.height = Math.round(size * dpr);
    const css = getComputedStyle(document.documentElement), k = canvas.width / (2 * half);
    const t = +slider.value, at = (1 - t) * (rows.length - 1), i = Math.min(rows.length - 2, Math.floor(at)), f = at - i;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.strokeStyle = css.getPropertyValue("--book-line");
    pen.lineWidth = dpr;
    pen.globalAlpha = 0.8;
    for (const [x, y] of centres) { pen.beginPath(); pen.arc((x + half) * k, (half - y) * k, 2.2 * STD * k, 0, 7); pen.stroke(); }
    pen.fillStyle = css.getPropertyValue("--book-mark");
    pen.globalAlpha = 0.75;
    for (let j = 0; j < noise.length; j++) {
      const x = rows[i][j][0] * (1 - f) + rows[i + 1][j][0] * f, y = rows[i][j][1] * (1 - f) + rows[i + 1][j][1] * f;
      pen.beginPath(); pen.arc((x + half) * k, (half - y) * k, 1.7 * dpr, 0, 7); pen.fill();
    }
    pen.globalAlpha = 1;
    out.textContent = `t = ${t.toFixed(2)}`;
    canvas.setAttribute("aria-label", `${noise.length} points at time ${t.toFixed(2)}: ` +
      (t > 0.95 ? "a round cloud of noise" : t < 0.05 ? `samples, gathered at ${centres.length === 1 ? "the one place" : `the ${centres.length} places`} of the data` : "noise on its way to the data"));
  }
  function play() {
    cancelAnimationFrame(frame);
    if (still) { slider.value = 0; draw(); return; }
    const begun = performance.now();
    const tick = (now) => {
      const share = Math.min(1, Math.max(0, (now - begun) / 3200));
      slider.value = 1 - share; draw();
      if (share < 1) frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
  }
  function choose(name, list) {
    centres = list; own = name === null; rows = paths(noise, centres);
    for (const b of root.querySelectorAll("[data-shape]")) b.setAttribute("aria-pressed", String(b.dataset.shape === name));
    play();
  }
  slider.addEventListener("input", () => { cancelAnimationFrame(frame); draw(); });
  root.querySelector("[data-again]").addEventListener("click", () => { noise = normals(700); rows = paths(noise, centres); play(); });
  for (const b of root.querySelectorAll("[data-shape]")) b.addEventListener("click", () => choose(b.dataset.shape, SHAPES[b.dataset.shape]));
  canvas.addEventListener("click", (e) => {
    const box = canvas.getBoundingClientRect();
    const at = [((e.clientX - box.left) / box.width) * 2 * half - half, half - ((e.clientY - box.top) / box.height) * 2 * half];
    choose(null, own ? [...centres, at].slice(-40) : [at]);
  });
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  addEventListener("resize", draw);
  root.hidden = false;
  draw();
  new IntersectionObserver((seen, watch) => { if (seen.some((s) => s.isIntersecting)) { watch.disconnect(); play(); } }, { threshold: 0.4 }).observe(canvas);
}

for (const root of document.querySelectorAll(".taste")) start(root);
window.bookTaste = { STD, SHAPES, velocity, paths, normals }; // for the tests
})();
