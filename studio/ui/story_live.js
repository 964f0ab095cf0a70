// The tab Story, live: sees what others do to the open story, and says whose text gave way to whose. No library.
window.storyLive = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const { ui, ask, unsent, slotOf, isTyping } = story;

  // -- asking, while somebody looks: a few numbers, and the story itself only when they are others -------------------
  const BEAT = 3000;
  const PATIENCE = 12000;
  let asking = 0;
  const looks = () => ui.story && !document.hidden && one('#story')?.offsetParent && !document.body.hasAttribute('own-dragging');
  async function look() {
    clearTimeout(asking);
    let well = true;
    if (looks() && !unsent()) well = await compare(ui.story);
    // A hidden page asks nothing: it looks again when it is seen.
    clearTimeout(asking);
    if (!document.hidden) asking = setTimeout(look, well ? BEAT : PATIENCE);
  }
  async function compare(id) {
    const answer = await fetch(`../story/${encodeURIComponent(id)}/now`, { cache: 'no-store' }).catch(() => null);
    if (!answer || (!answer.ok && answer.status !== 404)) return false;
    const { mark } = answer.ok ? await answer.json().catch(() => ({ mark: ui.mark })) : { mark: '' };
    if (id === ui.story && mark !== ui.mark && looks() && !unsent()) await ask('refresh', { key: 'live' });
    return true;
  }
  document.addEventListener('visibilitychange', look);
  asking = setTimeout(look, BEAT);

  // -- two who write the same: each is told what the other one's text was --------------------------------------------
  const mine = new Map();
  const plain = (text) => text.split(/\s+/).join(' ').trim();
  const boxOf = (slot) => all('#story [data-edit][data-name]').find((box) => slotOf(box) === slot);
  function drawn(ack, item) {
    if (ack.story !== ui.story) { mine.clear(); close(); return; }
    if (item.typed && item.was !== undefined && !ack.sorry) {
      const box = item.box?.isConnected ? item.box : boxOf(item.slot);
      mine.set(item.slot, box && !isTyping(box) ? box.defaultValue : String(item.values[item.name] ?? ''));
    }
    // What I did myself may well change what I wrote before.
    const theirs = item.act === 'refresh' || (item.typed && item.edit !== 'rename_character');
    for (const [slot, text] of mine) {
      const box = boxOf(slot);
      if (!box || isTyping(box) || plain(box.defaultValue) === plain(text)) continue;
      mine.delete(slot);
      if (theirs && text.trim()) say(one('#story_meanwhile').dataset.yours.replace('{text}', () => text));
    }
    if (ack.theirs) say(ack.theirs);
  }
  function say(text) {
    const note = one('#story_meanwhile');
    const list = one('div', note);
    const line = Object.assign(document.createElement('p'), { textContent: text });
    list.append(line);
    while (list.children.length > 3) list.firstChild.remove();
    note.hidden = false;
  }
  function close() {
    const note = one('#story_meanwhile');
    if (!note) return;
    note.hidden = true;
    one('div', note).replaceChildren();
  }
  document.addEventListener('click', (event) => event.target.closest('#story_meanwhile button') && close());

  return { drawn };
})();
