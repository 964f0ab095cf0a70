// The tab Library: a search that asks as one types, pages that come as one scrolls, clips that are ticked, one opened.
window.library = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const isOpen = () => Boolean(one('#library_wall')?.offsetParent);
  const fresh = () => ({ q: '', chosen: {}, age: '', marked: false, trash: false, sort: '' });
  let query = fresh();
  let open = '';
  let after = '';
  let total = 0;
  let ticked = new Set();
  let whole = false;
  let drawn = 0;
  let asked = false;
  const PAGE = 60;

  // -- asking: one message, one answer; the next one when it came ----------------------------------------------------
  const line = turns('library_grid', ['find', 'open']);
  function ask(act, more = {}) {
    if (act !== 'open' && act !== 'more') asked = true;
    line.add({ act, ...query, after, open, ...more });
  }
  const there = () => Math.min(10 * PAGE, Math.max(PAGE, Math.ceil(all('#library_wall .tile').length / PAGE) * PAGE));
  // A change keeps what is there; another question begins at the top.
  const change = (act, more = {}) => ask(act, { limit: there(), ...more });
  let typing = 0;
  function find({ soon = false } = {}) {
    clearTimeout(typing);
    typing = setTimeout(() => { forget(); address(); ask('find'); }, soon ? 140 : 0);
  }
  function opened() {
    if (!asked) { read(); show(); ask('find', { open }); if (open) ask('open'); } else if (isOpen()) { address(); change('find'); }
  }

  // Something is new here: it shows without asking, unless cards are being ticked.
  const free = () => asked && isOpen() && !ticked.size && !whole;
  function again() { if (free()) change('find'); }
  // What others made meanwhile comes by itself to whoever looks at the newest; far below, or under the
  // hand, nothing moves.
  const still = () => one('#library_wall').getBoundingClientRect().top > -innerHeight / 2 && !one('#library_side').matches(':hover, :focus-within');
  let mark = '';
  async function look() {
    if (free() && !document.hidden && line.idle() && still()) {
      const told = await studio.told('../library/now');
      if (told && told.mark !== mark && line.idle()) again();
    }
    setTimeout(look, 4000);
  }

  // -- the address: what is asked for and which clip is open, so that a link shows the same ---------------------------
  const OURS = ['q', 'f', 'age', 'marked', 'trash', 'sort', 'clip'];
  function address() {
    const next = new URL(location.href);
    for (const name of OURS) next.searchParams.delete(name);
    if (isOpen()) {
      if (query.q) next.searchParams.set('q', query.q);
      for (const [facet, values] of Object.entries(query.chosen)) for (const value of values) next.searchParams.append('f', `${facet}:${value}`);
      for (const name of ['age', 'sort']) if (query[name]) next.searchParams.set(name, query[name]);
      for (const name of ['marked', 'trash']) if (query[name]) next.searchParams.set(name, '1');
      if (open) next.searchParams.set('clip', open);
    }
    if (next.search !== location.search) history.replaceState(history.state, '', next);
  }
  function read() {
    const asks = new URLSearchParams(location.search);
    query = fresh();
    query.q = asks.get('q') || '';
    for (const pair of asks.getAll('f')) {
      const at = pair.indexOf(':');
      if (at > 0) (query.chosen[pair.slice(0, at)] ??= []).push(pair.slice(at + 1));
    }
    for (const name of ['age', 'sort']) query[name] = asks.get(name) || '';
    for (const name of ['marked', 'trash']) query[name] = asks.get(name) === '1';
    open = asks.get('clip') || '';
  }
  function show() {
    const field = one('#library_search');
    if (field && field.value !== query.q) field.value = query.q;
    const sort = one('#library_sort');
    if (sort) sort.value = query.sort || (query.q ? 'best' : 'newest');
    one('#library_grid')?.toggleAttribute('own-trash', query.trash);
  }
  document.addEventListener('click', (event) => {
    if (event.isTrusted && event.target.closest?.('#tabs button[role=tab]')) setTimeout(address, 60);
  });

  // -- what came: cards go on the wall, the first page instead of what was there ----------------------------------------
  function fed() {
    const feed = one('#library_feed .feed');
    const wall = one('#library_wall');
    const { turn, way, told, sorry } = feed?.dataset || {};
    // Once only: taking the cards out is a change of the feed, too.
    if (!wall || !(Number(turn) > drawn)) return;
    drawn = Number(turn);
    after = feed.dataset.after || '';
    const cards = [...feed.children];
    cards.forEach((card) => { card.drawn = card.outerHTML.replace(/<small>.*?<\/small>| aria-pressed="\w*"/g, ''); });
    if (way === 'more') wall.append(...cards);
    else {
      lay(wall, cards);
      mark = feed.dataset.mark;
      total = Number(feed.dataset.total) || 0;
      one('#library_count').textContent = feed.dataset.count || '';
      if (told) say(told);
    }
    const note = one('#library_sorry');
    note.textContent = sorry || '';
    note.hidden = !sorry;
    const here = new Set(all('#library_wall .tile').map((tile) => tile.dataset.key));
    if (way !== 'more') ticked = new Set([...ticked].filter((key) => here.has(key)));
    marks();
    show();
    further();
    setTimeout(lengthen, 80);
  }
  // Which of the side's longer lists are open stays, whatever is counted anew.
  const longer = new Set();
  function lengthen() {
    for (const facet of longer) one(`#library_side [data-facet="${facet}"] details`)?.setAttribute('open', '');
  }
  document.addEventListener('click', (event) => {
    const details = event.target.closest?.('#library_side summary')?.parentElement;
    if (details) longer[details.open ? 'delete' : 'add'](details.closest('[data-facet]').dataset.facet);
  });
  // What is there as it was stays what it is: nothing flickers, and the keyboard stays where it was.
  function lay(wall, cards) {
    const there = new Map([...wall.children].map((card) => [card.drawn, card]));
    const next = cards.map((card) => there.get(card.drawn) || card);
    next.forEach((card, at) => { if (card !== cards[at]) renew(card, cards[at]); });
    const staying = new Set(next);
    for (const card of [...wall.children]) if (!staying.has(card)) card.remove();
    next.forEach((card, at) => { if (wall.children[at] !== card) wall.insertBefore(card, wall.children[at] || null); });
  }
  function renew(card, now) {
    // A heart shows at once what was pressed; what came of it, the answer knows. And time goes on.
    one('.heart', card)?.setAttribute('aria-pressed', one('.heart', now).ariaPressed);
    if (one('small', card)) one('small', card).textContent = one('small', now).textContent;
  }
  function say(text) {
    const note = one('#copied');
    note.dataset.words ??= note.textContent;
    note.textContent = text;
    note.hidden = false;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { note.hidden = true; note.textContent = note.dataset.words; }, 3200);
  }
  let nearing = 0;
  function further() {
    const end = one('#library_end');
    if (!after || !end?.offsetParent || end.getBoundingClientRect().top > innerHeight + 1200) return;
    clearTimeout(nearing);
    if (line.idle()) ask('more'); else nearing = setTimeout(further, 120);
  }

  // -- ticking: click, shift for a row of them; the bar below says how many ---------------------------------------------
  let last = '';
  function tick(key, event) {
    const keys = all('#library_wall .tile').map((tile) => tile.dataset.key);
    const on = !ticked.has(key);
    const [from, to] = [keys.indexOf(last), keys.indexOf(key)].sort((a, b) => a - b);
    const these = event?.shiftKey && from >= 0 ? keys.slice(from, to + 1) : [key];
    for (const each of these) { if (on) ticked.add(each); else ticked.delete(each); }
    last = key;
    whole = false;
    marks();
  }
  function forget() { ticked.clear(); whole = false; last = ''; marks(); }
  function marks() {
    for (const tile of all('#library_wall .tile')) {
      const on = whole || ticked.has(tile.dataset.key);
      tile.toggleAttribute('own-on', on);
      one('.tick', tile)?.setAttribute('aria-pressed', String(on));
      tile.toggleAttribute('own-open', tile.dataset.key === open);
    }
    const bar = one('#library_bulk');
    if (!bar) return;
    const many = whole ? total : ticked.size;
    bar.hidden = !many;
    one('#library_grid').toggleAttribute('own-ticking', many > 0);
    const count = one('#bulk_count');
    count.textContent = count.dataset.words.replace('{count}', many);
    one('#bulk_whole').hidden = whole || many >= total;
    const compare = one('[data-key="bulk compare"]', bar);
    compare.hidden = whole || many < 2 || many > 4;
    const shared = one('#bulk_share', bar);
    shared.hidden = whole || many > 60;
    shared.dataset.key = `clips ${[...ticked].join(',')}`;
    if (!many) one('#bulk_ask').hidden = true;
  }
  const chosen = () => (whole ? { whole: true } : { ids: [...ticked] });
  function bulk(what, button) {
    if (what === 'none') forget();
    else if (what === 'whole') { whole = true; marks(); }
    else if (what === 'tag' || what === 'move') question(what);
    else if (what === 'do') settled();
    else if (what === 'compare') ask('together', { ids: [...ticked] });
    else if (what === 'delete') sure(button, () => gone('delete'));
    else if (what === 'trash' || what === 'restore') gone(what);
    else change(what, chosen());
  }
  function gone(act) {
    const these = chosen();
    if (ticked.has(open) || whole) closed();
    forget();
    change(act, these);
  }
  async function sure(button, then) {
    if (await studio.agreed(button, '')) then();
  }
  let wanted = '';
  function question(what) {
    wanted = what;
    const form = one('#bulk_ask');
    const field = one('#bulk_value');
    const known = what === 'tag' ? all('[data-facet=tag] .narrower > span:first-child') : all('.projects .place > span:not(.count)');
    one('#bulk_known').replaceChildren(...known.map((each) => new Option(each.textContent, each.textContent)));
    field.placeholder = what === 'tag' ? form.dataset.tag : form.dataset.project;
    field.value = '';
    form.hidden = false;
    field.focus();
  }
  function settled() {
    const value = one('#bulk_value').value.trim();
    if (!value) { one('#bulk_value').focus(); return; }
    one('#bulk_ask').hidden = true;
    if (wanted === 'tag') { change('tag', { ...chosen(), value }); return; }
    const project = all('.projects .place').find((each) => one('span:not(.count)', each).textContent === value);
    if (project) change('move', { ...chosen(), value: project.dataset.key.split(' ')[2] });
    else change('project_new', { ...chosen(), value });
  }

  // -- what is pressed ----------------------------------------------------------------------------------------------------
  function narrow(facet, value) {
    if (facet === 'age') query.age = query.age === value ? '' : value;
    else {
      const values = new Set(query.chosen[facet] || []);
      if (values.has(value)) values.delete(value); else values.add(value);
      query.chosen = { ...query.chosen, [facet]: [...values] };
      if (!values.size) delete query.chosen[facet];
    }
    find();
  }
  function place(name, id) {
    query.marked = name === 'marked';
    query.trash = name === 'trash';
    const { project, ...others } = query.chosen;
    query.chosen = name === 'project' && !(project || []).includes(id) ? { ...others, project: [id] } : others;
    if (name === 'all') query = { ...fresh(), q: query.q };
    find();
  }
  function closed() { open = ''; const panel = one('#library_panel .panel'); panel?.remove(); marks(); address(); }
  function openClip(key) {
    open = key;
    marks();
    address();
    ask('open');
  }
  function first(button) {
    const prompt = one('#prompt textarea');
    studio.choose('create');
    prompt.value = one('#library_shell').dataset.first || prompt.value;
    prompt.dispatchEvent(new Event('input', { bubbles: true }));
    prompt.focus();
  }
  studio.here.open_clip = (button, key) => (ticked.size || whole ? tick(key, window.event) : openClip(key));
  studio.here.library = (button, key) => {
    const [act, ...rest] = key.split(' ');
    const value = rest.join(' ');
    if (act === 'facet') narrow(rest[0], rest.slice(1).join(' '));
    if (act === 'place') place(rest[0], rest[1]);
    if (act === 'tick') tick(value, window.event);
    if (act === 'bulk') bulk(value, button);
    if (act === 'clear') { query = { ...fresh(), trash: query.trash }; show(); find(); }
    if (act === 'first') first(button);
    if (act === 'side') one('#library').toggleAttribute('own-side');
    if (act === 'close') { const key = open; closed(); one(`.tile[data-key="${CSS.escape(key)}"] .card`)?.focus(); }
    if (act === 'apart') one('#library_together .together')?.remove();
    if (act === 'use') ask('use', { open: value });
    if (act === 'favour') favour(value, button);
    if (act === 'untag') change('untag', { ids: [open], value });
    if (act === 'trash') { const key = value; closed(); change('trash', { ids: [key] }); }
    if (act === 'restore') { closed(); change('restore', { ids: [value] }); }
    if (act === 'delete') sure(button, () => { closed(); change('delete', { ids: [value] }); });
    if (act === 'project_delete') sure(button, () => { place('all'); ask('project_delete', { project: value }); });
  };
  function favour(key, button) {
    const tile = one(`#library_wall .tile[data-key="${CSS.escape(key)}"]`);
    const on = button.matches('.sign') ? button.ariaPressed !== 'true' : !button.matches('.marked');
    one('.heart', tile || document.createElement('i'))?.setAttribute('aria-pressed', String(on));
    change('favour', { ids: [key], value: on ? 'on' : 'off' });
  }

  document.addEventListener('input', (event) => {
    if (event.target.id !== 'library_search') return;
    query.q = event.target.value;
    if (query.sort === 'best' && !query.q) query.sort = '';
    if (!event.isComposing) find({ soon: true });
  });
  document.addEventListener('compositionend', (event) => {
    if (event.target.id !== 'library_search') return;
    query.q = event.target.value;
    find({ soon: true });
  });
  document.addEventListener('change', (event) => {
    const { id, value } = event.target;
    if (id === 'library_sort') { query.sort = value; find(); }
    if (id === 'panel_project') change('move', { ids: [open], value });
    if (id === 'project_name') ask('project_rename', { project: event.target.closest('.own').dataset.project, value });
    if (id === 'project_publish') ask('project_publish', { project: event.target.closest('.own').dataset.project, value });
  });
  document.addEventListener('submit', (event) => {
    const { id } = event.target;
    if (!['panel_tags', 'project_form', 'bulk_ask'].includes(id)) return;
    event.preventDefault();
    const field = one('input', event.target);
    const value = field.value.trim();
    if (id === 'bulk_ask') settled();
    else if (value && id === 'panel_tags') { change('tag', { ids: [open], value }); refocus = '#panel_tag'; field.value = ''; }
    else if (value) { ask('project_new', { value }); field.value = ''; }
  });
  let refocus = '';
  document.addEventListener('keydown', (event) => {
    if (!isOpen() || event.isComposing) return;
    if (event.key === 'Escape' && (ticked.size || whole)) { event.preventDefault(); event.stopImmediatePropagation(); forget(); }
    if (event.target.id === 'library_search' && event.key === 'ArrowDown') { event.preventDefault(); one('#library_wall .card')?.focus(); }
  }, true);

  // A panel that is drawn anew for the same clip goes on playing where it was.
  let played = null;
  function panelled() {
    const shown = one('#library_panel .panel');
    const player = shown && one('.player', shown);
    const film = player && one('video', player);
    if (played && player && played.player !== player && played.asset === shown.dataset.asset) {
      const going = !played.film.paused || played.going;
      player.replaceWith(played.player);
      if (going) played.film.play().catch(() => {});
    } else if (film) played = { asset: shown.dataset.asset, player, film, going: false };
    if (played) played.going = !played.film.paused;
    if (shown && shown.dataset.asset && !open) shown.remove();
    if (refocus) { one(refocus)?.focus(); refocus = ''; }
    marks();
  }
  // -- where new clips are kept: chosen on Create, remembered here, the same wherever it can be chosen -------------------
  const KEPT = 'wan_project';
  const keptProject = () => { try { return localStorage.getItem(KEPT) || ''; } catch { return ''; } };
  function filing() {
    const choice = one('[data-project-choice]');
    const field = one('#project textarea, #project input');
    if (!choice || !field) return;
    const wanted = keptProject();
    choice.value = [...choice.options].some((option) => option.value === wanted) ? wanted : '';
    if (field.value === choice.value) return;
    field.value = choice.value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
  document.addEventListener('change', (event) => {
    if (!event.target.matches('[data-project-choice]')) return;
    try { localStorage.setItem(KEPT, event.target.value); } catch { /* private mode */ }
    filing();
  });

  function begin() {
    if (!one('#filing') || !one('#library_feed') || !one('#library_turn') || !one('#library_panel') || !one('#library_grid')) { setTimeout(begin, 80); return; }
    new MutationObserver(fed).observe(one('#library_feed'), { subtree: true, childList: true, attributes: true, attributeFilter: ['data-turn'] });
    fed();
    line.follow(one('#library_turn'));
    new MutationObserver(() => {
      const shown = one('#library_together .together');
      if (!shown || shown.dataset.shown) return;
      shown.dataset.shown = '1';
      forget();
      shown.scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
    }).observe(one('#library_together'), { subtree: true, childList: true });
    new MutationObserver(panelled).observe(one('#library_panel'), { subtree: true, childList: true });
    new MutationObserver(filing).observe(one('#filing'), { subtree: true, childList: true });
    addEventListener('scroll', further, { passive: true });
    setTimeout(look, 4000);
    filing();
  }
  begin();
  return { opened, isOpen, again };
})();
