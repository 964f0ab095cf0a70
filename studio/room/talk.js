// The review room: what is said and decided. A comment knows its moment and, if one pointed, its place in the picture.
(() => {
  const { one, all, t, make, clock, ui, post, onDrawn } = room;
  const may = () => ({ view: 0, comment: 1, decide: 2, make: 1 })[room.state?.rights] ?? 0;
  const makes = () => room.state?.rights === 'make';
  const player = () => one('synced-player');
  // The comment that is being written: on which clip, at which moment, where in its picture.
  let draft = null;
  let opened = '';
  let answering = '';
  const saying = one('#saying');

  // -- names: asked once, before the first word ------------------------------------------------------------------------
  const sorry = (box, text) => { const line = one('.sorry', box); line.textContent = text; line.hidden = !text; };
  function named() {
    if (room.state.me) return Promise.resolve(true);
    return rename();
  }
  function rename() {
    const dialog = one('#ask_name');
    sorry(dialog, '');
    one('#name').value = room.state.me;
    dialog.showModal();
    return new Promise((done) => {
      one('form', dialog).onsubmit = async (event) => {
        event.preventDefault();
        try { await post('name', { name: one('#name').value }); } catch (error) { sorry(dialog, error.message); one('#name').focus(); return; }
        dialog.close('yes');
      };
      dialog.onclose = () => done(dialog.returnValue === 'yes');
      dialog.returnValue = '';
    });
  }
  for (const button of all('[data-close]')) button.addEventListener('click', () => button.closest('dialog').close(''));

  // -- deciding ------------------------------------------------------------------------------------------------------------
  let deciding = false;
  // An approval that can still be taken back: it is sent a moment later, or when one leaves.
  const PAUSE = 4000;
  let coming = null;
  const spokenOf = () => {
    const spoken = room.subject();
    return spoken && { item: room.inFilm() ? room.current() : spoken.item, asset: spoken.take.id };
  };
  async function decide(what, text = '', spoken = spokenOf()) {
    if (!spoken || deciding || may() < 2) return;
    if (!(await named())) return;
    deciding = true;
    one('#verdict').toggleAttribute('data-busy', true);
    try { await post('verdict', { item: spoken.item.id, asset: spoken.asset, what, text }); } finally {
      deciding = false;
      one('#verdict').removeAttribute('data-busy');
    }
  }
  async function approve() {
    const spoken = spokenOf();
    if (!spoken || deciding || may() < 2) return;
    flush();
    if (!(await named())) return;
    const before = room.verdictOf(spoken.item.id);
    if (room.tone(spoken.item.id) === 'changes') {
      if (await overruled(spoken.item, before)) await decide('approve', '', spoken);
      return;
    }
    coming = { ...spoken, timer: setTimeout(flush, PAUSE) };
    one('#coming span').textContent = t('approving', { name: heading(spoken.item) });
    waits();
  }
  function waits() { one('#coming').hidden = !coming; about(); }
  function takeBack() {
    const was = coming;
    clearTimeout(was?.timer);
    coming = null;
    waits();
    return was;
  }
  function flush() { if (coming) decide('approve', '', takeBack()).catch(complain); }
  // Somebody wanted something else: whoever says yes over it is asked.
  function overruled(item, before) {
    const dialog = one('#ask_over');
    one('#over_of').textContent = [heading(item), `${before.name}: ${before.text}`].join('\n');
    dialog.returnValue = '';
    dialog.showModal();
    return new Promise((done) => { dialog.onclose = () => done(dialog.returnValue === 'yes'); });
  }
  one('#approve').addEventListener('click', () => approve().catch(complain));
  one('#take_back').addEventListener('click', takeBack);
  addEventListener('pagehide', flush);
  document.addEventListener('visibilitychange', () => document.hidden && flush());
  one('#changes').addEventListener('click', () => {
    const item = room.current();
    if (!item || may() < 2) return;
    if (coming?.item.id === item.id) takeBack(); else flush();
    const dialog = one('#ask_changes');
    player()?.pause();
    sorry(dialog, '');
    one('#changes_of').textContent = heading(item);
    dialog.showModal();
    one('form', dialog).onsubmit = async (event) => {
      event.preventDefault();
      const box = one('#wanted');
      if (!box.value.trim()) { sorry(dialog, t('say_what')); box.focus(); return; }
      try {
        await decide('changes', box.value);
        if (room.state.me) { box.value = ''; dialog.close(); }
      } catch (error) { sorry(dialog, error.message); }
    };
  });
  function complain(error) {
    const line = make('p', { className: 'sorry', role: 'alert', textContent: error.message });
    one('#about').append(line);
    setTimeout(() => line.remove(), 6000);
  }

  // -- what is looked at, in words, and how it stands ---------------------------------------------------------------------
  const heading = (item) => (item.id === 'film' || room.state.kind !== 'story' ? room.nameOf(item) : [t('shot', { number: item.number }), item.title].filter(Boolean).join(' · '));
  function ago(at) {
    const minutes = Math.round((Date.now() - new Date(at)) / 60000);
    if (minutes < 1) return t('just_now');
    if (minutes < 60) return t('minutes', { count: minutes });
    if (minutes < 24 * 60) return t('hours', { count: Math.round(minutes / 60) });
    return new Date(at).toLocaleDateString('sv');
  }
  function verdictLine(verdict) {
    const told = verdict.stale ? 'earlier' : verdict.what;
    const about = verdict.take ? t('about_take', { number: verdict.take }) : verdict.stale ? t('earlier') : '';
    const who = t('by', { name: verdict.mine ? `${verdict.name} (${t('you')})` : verdict.name, when: ago(verdict.at) });
    return make('div', { className: 'decided', data: { tone: told } },
      make('b', { textContent: t(`verdict_${verdict.what}`) }),
      make('small', { textContent: [about, who].filter(Boolean).join(' · ') }),
      verdict.text ? make('p', { textContent: verdict.text }) : null);
  }
  function about() {
    const item = room.current();
    const box = one('#about');
    if (!item) { box.replaceChildren(); return; }
    const told = [make('h2', { textContent: heading(item) })];
    if (makes()) told.unshift(make('p', { className: 'muted', textContent: t('maker') }));
    const text = room.state.kind === 'story' && item.id !== 'film' ? item.text : '';
    if (text) told.push(make('p', { className: 'text', textContent: text }));
    const verdicts = room.verdictsOf(item.id);
    if (verdicts.length) told.push(verdictLine(verdicts.at(-1)));
    if (verdicts.length > 1) {
      const older = make('details', { className: 'older' }, make('summary', { textContent: t('history', { count: verdicts.length - 1 }) }), ...verdicts.slice(0, -1).reverse().map(verdictLine));
      older.open = Boolean(one('.older[open]', box));
      told.push(older);
    }
    box.replaceChildren(...told);
    const spoken = room.subject();
    one('#verdict').hidden = may() < 1 || !spoken;
    one('#approve').hidden = one('#changes').hidden = may() < 2;
    one('#say').ariaPressed = String(Boolean(draft));
    one('#approve').ariaPressed = String(room.tone(item.id) === 'approve' || coming?.item.id === item.id);
    one('#changes').ariaPressed = String(room.tone(item.id) === 'changes');
  }

  // -- writing: the film stops, a tap in the picture is a place ---------------------------------------------------------------
  function begin() {
    const spoken = room.subject();
    if (!spoken || may() < 1) return;
    const seen = player();
    if (seen?.wanted) seen.pause();
    draft = { asset: spoken.take.id, seconds: seen?.time ?? 0, x: null, y: null };
    answering = '';
    open();
    saying.scrollIntoView({ block: 'nearest' });
    if (!matchMedia('(pointer: coarse)').matches) one('#words').focus({ preventScroll: true });
  }
  function open() {
    saying.hidden = !draft && !answering;
    document.body.toggleAttribute('data-saying', Boolean(draft));
    sorry(saying, '');
    spot();
    about();
  }
  function stop() { draft = null; answering = ''; open(); pins(); said(); }
  function spot() {
    const line = one('#spot');
    if (!draft) { line.replaceChildren(); return; }
    const place = draft.x === null ? make('span', { textContent: t('point') })
      : make('button', { type: 'button', className: 'btn', textContent: t('no_place'), onclick: () => { draft.x = draft.y = null; spot(); pins(); } });
    line.replaceChildren(make('b', { textContent: clock(draft.seconds) }), place);
  }
  async function send(event) {
    event.preventDefault();
    const text = one('#words').value;
    if (!text.trim()) { one('#words').focus(); return; }
    if (!(await named())) return;
    const item = room.inFilm() ? room.current() : room.subject()?.item;
    const body = answering ? { parent: answering, text } : { item: item.id, ...draft, text };
    one('#send').disabled = true;
    try {
      const made = await post('comment', body);
      one('#words').value = '';
      opened = made.id;
      stop();
    } catch (error) { sorry(saying, error.message); } finally { one('#send').disabled = false; }
  }
  one('#say').addEventListener('click', begin);
  one('#unsay').addEventListener('click', stop);
  saying.addEventListener('submit', send);
  one('#words').addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send(event); });

  // Where the picture lies within its screen: it keeps its shape, so there may be bars beside it.
  function picture(screen, take) {
    const box = screen.getBoundingClientRect();
    const scale = Math.min(box.width / take.width, box.height / take.height);
    const [width, height] = [take.width * scale, take.height * scale];
    return { left: (box.width - width) / 2, top: (box.height - height) / 2, width, height, x: box.left, y: box.top };
  }
  one('#screen').addEventListener('click', (event) => {
    const screen = event.target.closest('.sy-screen');
    if (!draft || !screen) return;
    event.preventDefault();
    event.stopPropagation();
    const at = all('.sy-screen').indexOf(screen);
    const there = room.shown()[at];
    if (!there) return;
    const box = picture(screen, there.take);
    const [x, y] = [(event.clientX - box.x - box.left) / box.width, (event.clientY - box.y - box.top) / box.height];
    if (x < 0 || x > 1 || y < 0 || y > 1) return;
    Object.assign(draft, { asset: there.take.id, seconds: player().time, x, y });
    if (there.item.id !== ui.item && !room.inFilm()) { ui.item = there.item.id; room.draw(); }
    spot();
    pins();
    one('#words').focus({ preventScroll: true });
  }, true);

  // -- pins in the picture, marks below it ------------------------------------------------------------------------------------
  // How long before its moment a place is shown, and how long after: to be seen while the film plays.
  const [BEFORE, AFTER] = [0.4, 1.6];
  const tops = () => (room.state?.comments || []).filter((comment) => !comment.parent);
  const onStage = () => { const ids = room.shown().map(({ take }) => take.id); return tops().filter((comment) => ids.includes(comment.asset)); };
  function pins() {
    const time = player()?.time ?? 0;
    all('.sy-screen').forEach((screen, at) => {
      const there = room.shown()[at];
      if (!there) return;
      let layer = one('.pins', screen);
      if (!layer) { layer = make('div', { className: 'pins' }); screen.append(layer); }
      const near = onStage().filter((comment) => comment.asset === there.take.id && comment.x !== null
        && (comment.id === opened ? Math.abs(comment.seconds - time) < 2 : !comment.resolved && time > comment.seconds - BEFORE && time < comment.seconds + AFTER));
      const wanted = [...near, ...(draft?.asset === there.take.id && draft.x !== null ? [{ ...draft, id: 'draft' }] : [])];
      const key = JSON.stringify([wanted.map((pin) => [pin.id, pin.x, pin.y]), opened, screen.clientWidth, screen.clientHeight]);
      if (layer.dataset.key === key) return;
      layer.dataset.key = key;
      const box = picture(screen, there.take);
      layer.replaceChildren(...wanted.map((pin) => {
        const told = pin.text ? `${clock(pin.seconds)} ${pin.name}: ${pin.text}` : t('here');
        const made = make('button', { type: 'button', className: 'pin', ariaLabel: told, title: told, onclick: (event) => { event.stopPropagation(); if (pin.id !== 'draft') jump(pin); } });
        made.toggleAttribute('data-open', pin.id === opened || pin.id === 'draft');
        made.style.left = `${box.left + pin.x * box.width}px`;
        made.style.top = `${box.top + pin.y * box.height}px`;
        return made;
      }));
    });
  }
  function marks() {
    const line = one('#time');
    const length = player()?.length || room.shown()[0]?.take.seconds || 0;
    const chapters = room.inFilm() ? room.state.items.filter((item) => item.start) : [];
    const dots = onStage().filter((comment) => comment.seconds !== null);
    line.hidden = !length || (!chapters.length && !dots.length);
    if (line.hidden) return;
    const place = (made, seconds) => { made.style.left = `${Math.min(100, (100 * seconds) / length)}%`; return made; };
    line.replaceChildren(
      ...chapters.map((item) => place(make('i', { className: 'border' }), item.start)),
      ...dots.map((comment) => {
        const made = make('button', { type: 'button', className: 'dot', title: `${clock(comment.seconds)} ${comment.text}`, ariaLabel: `${clock(comment.seconds)} ${comment.text}`, onclick: () => jump(comment) });
        made.toggleAttribute('data-open', comment.id === opened);
        made.toggleAttribute('data-done', comment.resolved);
        return place(made, comment.seconds);
      }),
    );
  }
  // To where something was said: its clip on the stage, its moment, its place.
  function jump(comment) {
    opened = comment.id;
    const item = room.itemOf(comment.item);
    if (item) {
      const filmed = comment.asset === room.state.film;
      if (item.id !== ui.item || filmed !== room.inFilm()) {
        ui.view = filmed ? 'film' : 'takes';
        room.choose(item.id, { seek: false });
      }
    }
    const seen = player();
    if (seen && comment.seconds !== null && room.shown().some(({ take }) => take.id === comment.asset)) { seen.wanted = false; room.goTo(comment.seconds); seen.tell(); }
    said();
    marks();
    pins();
    one(`#said [data-id="${CSS.escape(comment.id)}"]`)?.scrollIntoView({ block: 'nearest' });
  }

  // -- what was said --------------------------------------------------------------------------------------------------------
  function entry(comment, answers = []) {
    const who = [comment.mine ? `${comment.name} (${t('you')})` : comment.name, comment.studio ? t('studio') : '', ago(comment.at)].filter(Boolean).join(' · ');
    const item = room.itemOf(comment.item);
    const where = comment.parent ? null : make('button', {
      type: 'button', className: 'moment', onclick: () => jump(comment),
      textContent: [ui.whole && item ? room.nameOf(item) : '', comment.seconds === null ? '' : clock(comment.seconds), comment.x === null ? '' : '◎'].filter(Boolean).join(' '),
    });
    const does = make('div', { className: 'does' });
    if (!comment.parent && may() >= 1) does.append(make('button', { type: 'button', className: 'btn', textContent: t('answer'), onclick: () => { draft = null; answering = comment.id; open(); said(); one('#words').focus(); } }));
    if (!comment.parent && makes()) does.append(make('button', { type: 'button', className: 'btn', textContent: t(comment.resolved ? 'reopen' : 'resolve'), data: { resolve: comment.id }, onclick: () => post('resolve', { comment: comment.id, done: !comment.resolved }).catch(complain) }));
    const made = make('article', { data: { id: comment.id } },
      make('header', {}, where, make('small', { textContent: who }), comment.resolved ? make('small', { className: 'good', textContent: t('resolved') }) : null),
      make('p', { textContent: comment.text }), ...answers.map((answer) => entry(answer)), does.children.length ? does : null);
    made.toggleAttribute('data-open', comment.id === opened);
    made.toggleAttribute('data-done', comment.resolved);
    return made;
  }
  function said() {
    const box = one('#said');
    if (!room.state || room.state.rights === 'view') { box.replaceChildren(); return; }
    const here = tops().filter((comment) => comment.item === ui.item);
    const order = new Map(room.state.items.map((item, at) => [item.id, at]));
    const list = [...(ui.whole ? tops() : here)].sort((a, b) => (order.get(a.item) ?? 999) - (order.get(b.item) ?? 999) || (a.seconds ?? -1) - (b.seconds ?? -1));
    const way = (whole, key, count) => make('button', { type: 'button', ariaPressed: String(ui.whole === whole), textContent: t(key, { count }), onclick: () => { ui.whole = whole; said(); } });
    const ways = tops().length && room.state.items.length > 1 ? make('div', { className: 'segments' }, way(false, 'this_one', here.length), way(true, 'everything', tops().length)) : null;
    const none = list.length ? null : make('p', { className: 'muted none', textContent: may() ? `${t('nothing_said')} ${t('nothing_said_try')}` : t('nothing_said') });
    const entries = list.map((comment) => entry(comment, room.state.comments.filter((answer) => answer.parent === comment.id)));
    const me = room.state.me && may() ? make('button', { type: 'button', className: 'btn me', textContent: t('name_change', { name: room.state.me }), onclick: rename }) : null;
    box.replaceChildren(...[ways, none, ...entries, me].filter(Boolean));
    // An answer is written below what it answers.
    const above = answering && one(`#said [data-id="${CSS.escape(answering)}"]`);
    if (above) above.append(saying); else if (saying.parentElement !== one('#talk')) one('#talk').insertBefore(saying, box);
  }
  function sheets() {
    one('#sheets').hidden = !makes();
    if (!makes()) return;
    for (const kind of ['csv', 'pdf']) one(`#${kind}`).href = `decisions.${kind}?language=${document.documentElement.lang.slice(0, 2)}`;
  }
  onDrawn(() => {
    if (draft && !room.shown().some(({ take }) => take.id === draft.asset)) draft = null;
    // What is being written stays where it is, with the caret in it.
    const held = document.activeElement;
    const range = held?.id === 'words' ? [held.selectionStart, held.selectionEnd] : null;
    open();
    said();
    marks();
    pins();
    sheets();
    if (range && document.activeElement !== held) { held.focus({ preventScroll: true }); held.setSelectionRange(...range); }
  });
  setInterval(() => { if (room.state) pins(); }, 150);
  addEventListener('resize', () => room.state && pins());

  // -- keys ---------------------------------------------------------------------------------------------------------------------
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey || one('dialog[open]')) return;
    if (event.key === 'Escape' && (draft || answering)) { stop(); return; }
    if (event.target.matches('textarea, input:not([type=range]), select')) return;
    const does = {
      a: () => may() >= 2 && one('#approve').click(), r: () => may() >= 2 && one('#changes').click(), c: begin,
      ArrowUp: () => room.further(-1), ArrowDown: () => room.further(1),
      1: () => room.pick(0), 2: () => room.pick(1), 3: () => room.pick(2), 4: () => room.pick(3),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
})();
