// A clip changed in words: what is typed goes to one hidden area, its answers go below the line they belong to.
window.edits = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const BEAT = 900;
  // What stands below the line of each clip: the panel and the stage are drawn anew without asking. What came of a
  // wish (old and new side by side) stays there while the next one is read and made.
  const told = new Map();
  const seen = new Map();
  let serial = 0;
  let answered = 0;
  let looking = 0;
  let newest = '';
  let pressed = {};

  const line = turns('edits_room', ['look']);
  const hosts = (asset) => all('.edits').filter((host) => host.dataset.asset === asset);
  const hostOf = (element) => element.closest('.edits');
  function ask(act, asset, more = {}) {
    // A double click is one press.
    const what = JSON.stringify([act, asset, more]);
    if (act !== 'look' && what === pressed.what && Date.now() - pressed.at < 1500) return;
    if (act !== 'look') pressed = { what, at: Date.now() };
    serial += 1;
    clearTimeout(looking);
    for (const host of hosts(asset)) if (act !== 'look') host.ariaBusy = 'true';
    line.add({ act, asset, serial: String(serial), ...more });
  }

  // -- what came --------------------------------------------------------------------------------------------------
  function came() {
    const answer = one('#edits_room .edit-answer');
    // Only the answer to what was asked last counts, and once.
    if (!answer || answer.dataset.serial !== String(serial) || answered === serial) return;
    answered = serial;
    const { asset, job, live, html, made } = answer.dataset;
    told.set(asset, made === undefined ? html : '');
    if (made !== undefined) seen.set(asset, html);
    // The one that is taken away is compared no more.
    if (answer.dataset.gone !== undefined && seen.get(asset)?.includes(job)) seen.delete(asset);
    for (const host of hosts(asset)) { host.ariaBusy = null; both(host, true); }
    if (made !== undefined && made !== newest) { newest = made; window.library?.again(); }
    if (answer.dataset.gone !== undefined) window.library?.again();
    if (live !== undefined && job) looking = setTimeout(() => look(asset, job), BEAT);
  }
  function look(asset, job) {
    if (hosts(asset).some((host) => host.offsetParent) && !document.hidden) ask('look', asset, { job });
    else looking = setTimeout(() => look(asset, job), 2 * BEAT);
  }
  function both(host, fresh) {
    put(one('.edit-say', host), told.get(host.dataset.asset) || '', fresh);
    put(one('.edit-seen', host), seen.get(host.dataset.asset) || '', fresh);
  }
  function put(place, html, fresh) {
    if (!place || (place.dataset.html === html && (place.firstChild || !html))) return;
    const player = one('synced-player', place);
    const next = document.createElement('template');
    next.innerHTML = html;
    // The same clips go on playing.
    const same = player && one('synced-player', next.content);
    if (same && same.dataset.key === player.dataset.key) same.replaceWith(player);
    place.replaceChildren(next.content);
    place.dataset.html = html;
    if (fresh && place.firstChild && place.getBoundingClientRect().bottom > innerHeight - 140) {
      place.scrollIntoView({ block: 'nearest', behavior: window.player.calm() ? 'auto' : 'smooth' });
    }
  }
  function again() {
    for (const host of all('.edits')) both(host, false);
  }

  // -- what is pressed ----------------------------------------------------------------------------------------------
  function say(host, text) {
    const field = one('input[name=wish]', host);
    field.value = text;
    if (text.trim()) ask('read', host.dataset.asset, { text });
  }
  function drop(host) {
    told.delete(host.dataset.asset);
    for (const each of hosts(host.dataset.asset)) both(each, false);
    one('input[name=wish]', host).select();
  }
  studio.here.edits = async (button, key) => {
    const host = hostOf(button);
    if (!host) return;
    if (!(await studio.agreed(button, ''))) return;
    const { asset } = host.dataset;
    const [act, ...rest] = key.split(' ');
    const value = rest.join(' ');
    if (act === 'say') say(host, value);
    if (act === 'choose') ask('choose', asset, { intent: value, text: one('input[name=wish]', host).value });
    if (act === 'make') ask('make', asset, { plan: JSON.parse(button.dataset.plan) });
    if (act === 'drop') drop(host);
    if (act === 'look') ask('look', asset, { job: value });
    if (act === 'undo') ask('undo', asset, { job: value });
    if (act === 'retry') ask('retry', asset, { job: value });
    if (act === 'open') opened(host, asset, rest);
  };
  // The new take becomes what is looked at, where the old one was.
  function opened(host, asset, [next, job]) {
    told.delete(asset);
    seen.delete(asset);
    both(host, false);
    if (host.closest('#stage')) studio.send('stage', { act: 'open', key: job });
    else studio.here.open_clip?.(null, next);
  }
  document.addEventListener('submit', (event) => {
    if (!event.target.matches('.edits form')) return;
    event.preventDefault();
    say(hostOf(event.target), one('input[name=wish]', event.target).value);
  });

  function begin() {
    const room = one('#edits_room');
    if (!room) { setTimeout(begin, 200); return; }
    line.follow(room);
    new MutationObserver(came).observe(room, { childList: true, subtree: true, attributes: true });
    for (const place of ['#stage', '#library_panel']) {
      const area = one(place);
      if (area) new MutationObserver(again).observe(area, { childList: true, subtree: true });
    }
    // A tab's inside may come later than the page.
    setTimeout(function seen() {
      const panel = one('#library_panel');
      if (panel && !panel.dataset.edits) { panel.dataset.edits = '1'; new MutationObserver(again).observe(panel, { childList: true, subtree: true }); }
      setTimeout(seen, 1500);
    }, 1500);
  }
  begin();
  return { told };
})();
