// Views that are drawn anew now and then, until they are left.
import { h, problem, say } from "./dom.js";

// `draw` gives a view's elements, or throws; `every` is in milliseconds, or for an error `again(error)` where that gives one. Nothing is exchanged
// under somebody's focus: it waits for the next time. Returns what ends it.
export function refreshing(root, title, every, draw, again = () => undefined) {
  let stopped = false;
  let timer = 0;
  let said = false;
  const load = async () => {
    let next = every;
    let elements;
    try {
      elements = await draw();
    } catch (error) {
      elements = [problem(error)];
      next = again(error) ?? every;
    }
    if (stopped) return;
    if (!root.contains(document.activeElement)) root.replaceChildren(h("h2", null, title), ...elements.flat().filter(Boolean));
    if (!said) say(`${title}: shown`);
    said = true;
    timer = setTimeout(load, next);
  };
  load();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
