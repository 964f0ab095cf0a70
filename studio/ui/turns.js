// What a room asks goes one after another: the next once the one before was answered. Two answers that are on their
// way at once may come in the wrong order, and the page draws only the last of those that come together.
window.turns = (room, looks, send = (question) => studio.send(room, question)) => {
  const PATIENCE = 15000;
  const line = [];
  let turn = 0;
  let flying = null;
  let late = 0;
  // Of two that only look, one behind the other, the newer one says it all.
  function add(question) {
    if (looks.includes(question.act) && line.at(-1)?.act === question.act) line.pop();
    line.push(question);
    next();
  }
  function next() {
    if (flying || !line.length) return;
    // The room is not there yet.
    if (!studio.senders[room]) { clearTimeout(late); late = setTimeout(next, 100); return; }
    turn += 1;
    flying = line.shift();
    late = setTimeout(answered, PATIENCE, turn);
    send({ ...flying, turn });
  }
  function answered(which) {
    if (!flying || which !== turn) return;
    clearTimeout(late);
    flying = null;
    next();
  }
  // Answers say in `place` whose turn it was.
  function follow(place) {
    // The other places of the same answer may be drawn a moment later.
    const told = () => setTimeout(answered, 60, Number(place.querySelector('[data-turn]')?.dataset.turn));
    new MutationObserver(told).observe(place, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-turn'] });
    // An answer may have been there before anybody looked for it.
    told();
  }
  const idle = () => !flying && !line.length;
  // Whether something of the kind is asked and not answered: pressed twice, it is asked once.
  const has = (same) => [flying, ...line].some((question) => question && same(question));
  return { add, follow, idle, has };
};
