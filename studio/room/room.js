// The review room: what there is to see, what of it is looked at, and looking again by itself. talk.js does the
// rest: what is said and decided. Everything that people wrote enters the page as text. No library.
window.room = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const { words, player: playerWords, language } = JSON.parse(one('#told').textContent);
  const t = (key, values = {}) => Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, () => value), words[values.count === 1 ? `${key}_1` : key] || words[key] || key);
  const make = (tag, more = {}, ...inside) => {
    const { data = {}, ...rest } = more;
    const made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, data);
    made.append(...inside.filter((part) => part !== null && part !== undefined));
    return made;
  };
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
  const MOST = 4;
  const BEAT = 2500;
  // `item`: what is looked at; `view`: a story's shot "in the film" or by its "takes"; `take`: which one is spoken
  // of; `beside`: clips that stand side by side.
  const ui = { item: '', view: '', take: '', beside: [], whole: false };
  let state = null;
  const listeners = [];
  const onDrawn = (hears) => listeners.push(hears);

  // -- asking ---------------------------------------------------------------------------------------------------------
  const here = (path) => `${path}${path.includes('?') ? '&' : '?'}language=${language}`;
  async function load() {
    const answer = await fetch(here('state'), { cache: 'no-store', headers: { accept: 'application/json' } });
    if (answer.status === 404 || answer.status === 410) { location.reload(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    state = await answer.json();
    draw();
  }
  async function post(path, body) {
    const answer = await fetch(here(path), {
      method: 'POST', body: JSON.stringify(body), cache: 'no-store', keepalive: true,
      headers: { 'content-type': 'application/json', accept: 'application/json', 'x-room': state.token },
    }).catch(() => null);
    const told = answer ? await answer.json().catch(() => ({})) : {};
    if (answer?.ok) { await load().catch(() => {}); return told; }
    if (answer?.status === 410) location.reload();
    throw new Error(told.errors?.map((error) => error.text).join(' ') || t('failed'));
  }
  async function check() {
    const answer = await fetch('now', { cache: 'no-store', headers: { accept: 'application/json' } }).catch(() => null);
    one('#line_lost').hidden = Boolean(answer && answer.status < 500);
    if (answer && (answer.status === 404 || answer.status === 410)) { location.reload(); return; }
    const told = answer?.ok ? await answer.json().catch(() => null) : null;
    if (told && told.mark !== state?.mark) await load().catch(() => {});
  }
  let waiting = 0;
  async function look() {
    clearTimeout(waiting);
    if (!document.hidden) await check();
    clearTimeout(waiting);
    // A hidden page asks nothing: it looks again when it is seen.
    if (!document.hidden) waiting = setTimeout(look, BEAT);
  }
  document.addEventListener('visibilitychange', () => state && look());

  // -- what is looked at ----------------------------------------------------------------------------------------------
  const itemOf = (id) => state.items.find((item) => item.id === id);
  const current = () => itemOf(ui.item) || null;
  const nameOf = (item) => (item.id === 'film' ? t('the_film') : item.title || t(state.kind === 'story' ? 'shot' : 'clip', { number: item.number }));
  const filmItem = () => state.items.find((item) => item.id === 'film');
  const hasFilm = (item) => Boolean(state.film && item && (item.id === 'film' || item.start !== null));
  const inFilm = () => hasFilm(current()) && (ui.view !== 'takes' || ui.item === 'film');
  // The clips on the stage, with the item that each one shows.
  function shown() {
    const item = current();
    if (!item) return [];
    if (inFilm()) return filmItem().takes.map((take) => ({ take, item: filmItem() }));
    if (state.kind === 'story') return item.takes.slice(0, MOST).map((take) => ({ take, item }));
    const ids = ui.beside.includes(item.id) ? ui.beside : [item.id];
    return ids.map(itemOf).filter((found) => found?.takes.length).map((found) => ({ take: found.takes[0], item: found }));
  }
  // The clip that is spoken of now.
  function subject() {
    const there = shown();
    return there.find(({ take }) => take.id === ui.take) || there.find(({ item }) => item.id === ui.item) || there[0] || null;
  }
  function choose(id, { seek = true } = {}) {
    const item = itemOf(id);
    if (!item) return;
    ui.item = id;
    ui.take = '';
    if (state.kind !== 'story' && !ui.beside.includes(id)) ui.beside = [];
    if (!hasFilm(item) || (!item.takes.length && state.film)) ui.view = hasFilm(item) ? 'film' : 'takes';
    draw();
    if (seek && inFilm() && item.start !== null) goTo(item.start + 0.05);
    one(`#items [data-item="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
  // A film that is still coming goes there as soon as it knows how long it is.
  function goTo(seconds) {
    const player = one('synced-player');
    if (player?.length) player.seek(seconds);
    else player?.videos?.[0]?.addEventListener('loadeddata', () => player.seek(seconds), { once: true });
  }
  function beside(id) {
    if (ui.beside.includes(id)) ui.beside = ui.beside.filter((one) => one !== id);
    else {
      const first = ui.beside.length ? ui.beside : current()?.takes.length ? [ui.item] : [];
      ui.beside = [...new Set([...first, id])].slice(-MOST);
      ui.item = id;
    }
    if (!ui.beside.includes(ui.item) && ui.beside.length) ui.item = ui.beside[ui.beside.length - 1];
    draw();
  }
  function further(by) {
    const at = state.items.findIndex((item) => item.id === ui.item);
    const next = state.items[Math.max(0, Math.min(state.items.length - 1, at + by))];
    if (next) choose(next.id);
  }

  // -- drawing --------------------------------------------------------------------------------------------------------
  function draw() {
    document.body.dataset.rights = state.rights;
    document.body.dataset.kind = state.kind;
    if (!current()) {
      ui.item = (itemOf(decodeURIComponent(location.hash.slice(1))) || state.items[0])?.id || '';
      ui.view = state.film ? 'film' : 'takes';
      // A few clips are sent to be seen side by side.
      if (state.kind === 'clips' && state.items.length > 1 && state.items.length <= MOST) ui.beside = state.items.map((item) => item.id);
    }
    const title = state.title || (state.kind === 'clips' ? t('clips', { count: state.items.length }) : t('untitled'));
    one('#title').textContent = document.title = title;
    one('#facts').replaceChildren(...facts().map((text) => make('span', { textContent: text })));
    stage();
    views();
    items();
    for (const hears of listeners) hears();
  }
  function facts() {
    const shots = state.items.filter((item) => item.id !== 'film').length;
    const found = [t(state.kind === 'story' ? 'shots' : 'clips', { count: shots })];
    if (state.rights !== 'view' && state.items.length) {
      const done = state.items.filter((item) => verdictOf(item.id)).length;
      found.push(t('progress', { done, all: state.items.length }));
    }
    if (state.ends) found.push(t('until', { date: new Date(state.ends).toLocaleDateString('sv') }));
    if (state.rights === 'view') found.push(t('only_look'));
    else if (state.rights === 'comment') found.push(t('may_comment'));
    return found;
  }
  const sourceOf = (id) => ({ src: `media/${id}.mp4`, poster: `media/${id}.webp` });
  function stage() {
    const clips = shown().map(({ take, item }, at, them) => ({
      ...sourceOf(take.id), title: them.length > 1 && state.kind === 'story' ? t('take', { number: at + 1 }) : nameOf(item),
      fps: take.fps, width: take.width, height: take.height, sound: take.sound,
    }));
    const key = clips.map((clip) => clip.src).join(' ');
    const screen = one('#screen');
    if (screen.dataset.key !== key) {
      screen.dataset.key = key;
      if (!clips.length) screen.replaceChildren(make('p', { className: 'none', textContent: t(state.items.length ? 'no_clip' : 'empty') }));
      else {
        const player = make('synced-player', { id: 'player' });
        player.dataset.words = JSON.stringify({ ...playerWords });
        // What has sound does not begin by itself.
        if (clips.some((clip) => clip.sound)) player.dataset.paused = player.dataset.fresh = '';
        player.dataset.clips = JSON.stringify(clips);
        screen.replaceChildren(player);
        if (clips.length === 1 && clips[0].sound) { player.videos[0].muted = false; player.looping = false; player.tell(); }
      }
    }
    const spoken = subject();
    all('.sy-pane', screen).forEach((pane, at) => pane.toggleAttribute('data-chosen', clips.length > 1 && shown()[at]?.take.id === spoken?.take.id));
  }
  function views() {
    const item = current();
    const box = one('#views');
    const both = item && item.id !== 'film' && hasFilm(item) && item.takes.length > 0;
    box.hidden = !both;
    if (!both) return;
    const way = (name, text) => make('button', {
      type: 'button', textContent: text, ariaPressed: String((name === 'film') === inFilm()), data: { view: name },
      onclick: () => { ui.view = name; ui.take = ''; choose(item.id); },
    });
    box.replaceChildren(way('film', t('in_film')), way('takes', t('takes', { count: item.takes.length })));
  }
  const verdictsOf = (id) => (state.verdicts || []).filter((verdict) => verdict.item === id);
  const verdictOf = (id) => verdictsOf(id).at(-1) || null;
  // How an item stands, in one word: what was decided of another picture than today's counts no more.
  function tone(id) {
    const verdict = verdictOf(id);
    if (!verdict) return 'none';
    if (verdict.stale || (verdict.take > 1 && verdict.what === 'changes')) return 'earlier';
    return verdict.what;
  }
  function items() {
    const list = one('#items');
    const rows = state.items.map((item) => {
      const button = make('button', { type: 'button', className: 'item', onclick: () => choose(item.id) });
      const still = item.takes[0];
      const count = (state.comments || []).filter((comment) => comment.item === item.id && !comment.resolved && !comment.parent).length;
      const picture = make('span', { className: 'still' }, still ? make('img', { src: sourceOf(still.id).poster, alt: '', loading: 'lazy' }) : null, make('b', { textContent: item.id === 'film' ? '▶' : item.number }));
      if (count) picture.append(make('i', { className: 'count', textContent: count }));
      const told = tone(item.id);
      const mark = make('small', { className: 'tone', textContent: told === 'none' ? '' : t(told === 'earlier' ? 'earlier' : `verdict_${told}`) });
      button.append(picture, make('span', { className: 'name', textContent: nameOf(item) }), mark);
      button.ariaLabel = `${nameOf(item)} ${mark.textContent}`.trim();
      const row = make('li', { data: { item: item.id, tone: told } }, button);
      row.toggleAttribute('data-current', item.id === ui.item);
      if (state.kind !== 'story' && state.items.length > 1) {
        const on = ui.beside.includes(item.id);
        row.append(make('button', { type: 'button', className: 'beside', textContent: on ? '✓' : '+', title: t('compare_hint'), ariaLabel: `${t('compare')}: ${nameOf(item)}`, ariaPressed: String(on), onclick: () => beside(item.id) }));
      }
      return row;
    });
    // What is pressed keeps the keyboard.
    const held = document.activeElement?.closest?.('#items li')?.dataset.item;
    const same = JSON.stringify(rows.map((row) => row.outerHTML));
    if (list.dataset.same === same) return;
    list.dataset.same = same;
    list.replaceChildren(...rows);
    if (held) one(`#items [data-item="${CSS.escape(held)}"] button`)?.focus({ preventScroll: true });
  }

  // -- what follows the film: the shot that plays is marked, and is what is spoken of if one was before --------------------
  function follow() {
    const player = one('synced-player');
    if (player?.wanted || player?.time > 0) delete player.dataset.fresh;
    if (state && player && inFilm()) {
      const shots = state.items.filter((item) => item.start !== null);
      const now = [...shots].reverse().find((item) => item.start <= player.time + 0.02);
      all('#items li').forEach((row) => row.toggleAttribute('data-playing', row.dataset.item === now?.id));
      if (now && ui.item !== 'film' && now.id !== ui.item && player.wanted && !document.body.hasAttribute('data-saying')) choose(now.id, { seek: false });
    }
  }
  setInterval(follow, 200);

  one('#light_dark').addEventListener('click', () => {
    const root = document.documentElement;
    root.dataset.theme = root.dataset.theme === 'light' ? 'dark' : 'light';
    try { localStorage.setItem('wan_theme', root.dataset.theme); } catch { /* private mode */ }
  });
  one('#screen').addEventListener('click', (event) => {
    const pane = event.target.closest('.sy-title') && !event.target.closest('button') ? event.target.closest('.sy-pane') : null;
    if (pane) pick(all('.sy-pane').indexOf(pane));
  });
  function pick(at) {
    const there = shown();
    if (there.length < 2 || !there[at]) return;
    ui.take = there[at].take.id;
    if (state.kind !== 'story') ui.item = there[at].item.id;
    draw();
  }
  addEventListener('load', () => load().then(look).catch(() => setTimeout(() => location.reload(), 4000)));
  return { one, all, t, make, clock, ui, post, goTo, draw, onDrawn, choose, further, pick, shown, subject, current, itemOf, nameOf, verdictOf, verdictsOf, tone, inFilm, get state() { return state; } };
})();
