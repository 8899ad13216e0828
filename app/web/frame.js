// What a person does is painted first: from a key or a click on, what the worker says waits until the frame that shows it is
// painted, or for a moment when the browser paints none. Otherwise the worker's answer, which comes within milliseconds, is drawn
// in between and the frame is late.
const FRAME_MS = 250; // longer than a slow device takes

let waiting = null; // what is to be done after the frame, while one is due

export function start() {
  for (const name of ["keydown", "click", "hf-drop"]) addEventListener(name, due, true);
}

function due() {
  if (waiting) return;
  const list = (waiting = []);
  const painted = () => {
    if (waiting !== list) return;
    waiting = null;
    for (const f of list) f();
  };
  requestAnimationFrame(() => {
    const next = new MessageChannel(); // its message comes after the frame's painting
    next.port1.onmessage = painted;
    next.port2.postMessage(0);
  });
  setTimeout(painted, FRAME_MS);
}

// next calls f when the next frame has been painted.
export function next(f) {
  due();
  waiting.push(f);
}

// after calls f, in the order of the calls, when no frame is due.
export function after(f) {
  if (waiting) waiting.push(f);
  else f();
}
