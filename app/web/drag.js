// Dragging rows and cards with a pointer: mouse and pen at once, touch after a long press so that scrolling stays.
//
// Markup: what moves has data-drag (its id); where it may land has data-zone (its name), data-h (height of one place in
// pixels) and data-n (how many places are taken); both lie in one data-drag-root, which gets the event "hf-drop" with
// detail "id\nzone\nindex". Nothing is drawn by Go while a pointer moves.
const startAfter = 5; // pixels
const pressFor = 280; // ms
const edge = 44; // pixels from a scroller's edge in which it scrolls
const speed = 14; // pixels a frame

let drag;

export function start() {
  addEventListener("pointerdown", down);
  addEventListener("pointermove", move);
  addEventListener("pointerup", up);
  addEventListener("pointercancel", stop);
  addEventListener("keydown", (e) => {
    if (e.key === "Escape" && drag?.ghost) {
      e.stopImmediatePropagation();
      stop();
    }
  }, true);
  addEventListener("touchmove", (e) => drag?.ghost && e.preventDefault(), { passive: false });
  addEventListener("dragstart", (e) => e.target.closest?.("[data-drag]") && e.preventDefault());
  addEventListener("contextmenu", (e) => drag?.ghost && e.preventDefault());
}

function down(e) {
  const el = e.target.closest("[data-drag]");
  if (!el || e.button !== 0 || e.target.closest("input, textarea, [data-no-drag]")) return;
  const root = el.closest("[data-drag-root]");
  if (!root) return;
  drag = { el, root, id: el.dataset.drag, x: e.clientX, y: e.clientY, px: e.clientX, py: e.clientY, pointer: e.pointerId };
  if (e.pointerType === "touch") {
    drag.touch = true;
    drag.timer = setTimeout(lift, pressFor);
  }
}

function move(e) {
  if (!drag || e.pointerId !== drag.pointer) return;
  drag.px = e.clientX;
  drag.py = e.clientY;
  if (!drag.ghost) {
    if (Math.hypot(e.clientX - drag.x, e.clientY - drag.y) < startAfter) return;
    if (drag.touch) return stop();
    lift();
  }
  place();
}

function lift() {
  const box = drag.el.getBoundingClientRect();
  const ghost = drag.el.cloneNode(true);
  ghost.classList.add("dragging");
  ghost.setAttribute("aria-hidden", "true");
  ghost.inert = true;
  Object.assign(ghost.style, { position: "fixed", left: "0", top: "0", width: box.width + "px", height: box.height + "px", margin: "0" });
  document.body.append(ghost);
  drag.dx = box.left - drag.x;
  drag.dy = box.top - drag.y;
  drag.ghost = ghost;
  drag.el.style.opacity = "0.35";
  drag.line = document.createElement("div");
  drag.line.className = "drop-line";
  document.body.classList.add("is-dragging");
  if (drag.touch) navigator.vibrate?.(8);
  place();
  drag.frame = requestAnimationFrame(scroll);
}

function place() {
  drag.ghost.style.transform = `translate(${drag.px + drag.dx}px, ${drag.py + drag.dy}px)`;
  const zone = document.elementFromPoint(drag.px, drag.py)?.closest("[data-zone-of], [data-zone]");
  const ul = zone?.dataset.zoneOf ? document.getElementById(zone.dataset.zoneOf) : zone;
  if (!ul || !drag.root.contains(ul)) {
    drag.zone = undefined;
    drag.line.remove();
    return;
  }
  const h = Number(ul.dataset.h);
  const index = Math.max(0, Math.min(Number(ul.dataset.n), Math.round((drag.py - ul.getBoundingClientRect().top) / h)));
  drag.zone = ul.dataset.zone;
  drag.index = index;
  drag.line.style.transform = `translateY(${index * h - 1}px)`;
  if (drag.line.parentElement !== ul) ul.append(drag.line);
}

function scroll() {
  if (!drag?.ghost) return;
  for (let el = document.elementFromPoint(drag.px, drag.py); el; el = el.parentElement) {
    const { overflowX, overflowY } = getComputedStyle(el);
    const box = el.getBoundingClientRect();
    if (/auto|scroll/.test(overflowY) && el.scrollHeight > el.clientHeight) {
      if (drag.py < box.top + edge) el.scrollTop -= speed;
      else if (drag.py > box.bottom - edge) el.scrollTop += speed;
    }
    if (/auto|scroll/.test(overflowX) && el.scrollWidth > el.clientWidth) {
      if (drag.px < box.left + edge) el.scrollLeft -= speed;
      else if (drag.px > box.right - edge) el.scrollLeft += speed;
    }
  }
  place();
  drag.frame = requestAnimationFrame(scroll);
}

function up(e) {
  if (!drag || e.pointerId !== drag.pointer) return;
  const { ghost, root, id, zone, index } = drag;
  stop();
  if (!ghost) return;
  // The click that follows belongs to the drag, not to what lies under it.
  const swallow = (click) => {
    click.preventDefault();
    click.stopImmediatePropagation();
  };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 50);
  if (zone !== undefined) root.dispatchEvent(new CustomEvent("hf-drop", { detail: `${id}\n${zone}\n${index}` }));
}

function stop() {
  if (!drag) return;
  clearTimeout(drag.timer);
  cancelAnimationFrame(drag.frame);
  drag.ghost?.remove();
  drag.line?.remove();
  drag.el.style.opacity = "";
  document.body.classList.remove("is-dragging");
  drag = undefined;
}
