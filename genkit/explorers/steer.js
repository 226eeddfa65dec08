// A point of the plane, moved within [−extent, extent]² by pointer, by arrow keys, and home by its key.
// pad: an SVG whose units are those of the plane, y downwards. steps: of a key, plain and with shift.
// where() gives the point, place(point) moves it.
function steer(pad, extent, steps, where, place) {
  const clamp = (v) => Math.max(-extent, Math.min(extent, v));
  const move = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(pad.getScreenCTM().inverse());
    place([clamp(x), clamp(-y)]);
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); pad.focus({ preventScroll: true }); move(event); });
  pad.addEventListener("pointermove", (event) => { if (pad.hasPointerCapture(event.pointerId)) move(event); });
  pad.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1], Home: [0, 0] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();  // a page may turn itself with the arrow keys
    const step = steps[event.shiftKey ? 1 : 0];
    place(event.key === "Home" ? [0, 0] : where().map((v, k) => clamp(v + step * way[k])));
  });
}
