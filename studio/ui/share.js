// Sharing for review: makes links, shuts them, and tells beside a shot or clip what guests said. No library.
window.share = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const dialog = () => one('#share');
  const words = () => (share.words ||= JSON.parse(dialog()?.dataset.words || '{}'));
  const t = (key, values = {}) => Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, () => value), words()[values.count === 1 ? `${key}_1` : key] || words()[key] || key);
  const make = (tag, more = {}, ...inside) => {
    const made = Object.assign(document.createElement(tag), more);
    made.append(...inside.filter(Boolean));
    return made;
  };
  const BEAT = 3000;
  // The room that the open dialog is about ("story ID"), and what every post to it carries.
  let about = '';
  let token = '';
  // The first answer about it: nothing is posted before, however fast somebody presses.
  let known_of = Promise.resolve();

  // -- asking ---------------------------------------------------------------------------------------------------------
  const address = (room) => { const [kind, ...rest] = room.split(' '); return `../discuss/${kind}/${rest.map(encodeURIComponent).join('')}`.replaceAll('%2C', ','); };
  async function ask(path, body) {
    const headers = { accept: 'application/json', ...(body ? { 'content-type': 'application/json', 'x-room': token } : {}) };
    const spoken = `${path}${path.includes('?') ? '&' : '?'}language=${dialog().dataset.language}`;
    const answer = await fetch(spoken, { cache: 'no-store', headers, ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) }).catch(() => null);
    const told = answer ? await answer.json().catch(() => ({})) : {};
    if (!answer?.ok) throw new Error(told.errors?.map((error) => error.text).join(' ') || t('failed'));
    return told;
  }

  // -- the dialog -------------------------------------------------------------------------------------------------------
  async function open(button, room) {
    about = room;
    const shown = dialog();
    one('#share_made').hidden = true;
    one('#share_links').replaceChildren();
    one('#share_told').replaceChildren();
    sorry('');
    one('.asked', shown).textContent = named(button);
    shown.showModal();
    known_of = refresh();
    await known_of;
  }
  // What is shared, by the name that stands beside the button.
  const named = (button) => {
    const near = button.closest('.panel, .story-head, .grid-head, .own, .bulk');
    const title = near && one('input.title, #project_name, #bulk_count, h2, .asked', near);
    return (title?.value ?? title?.textContent ?? '').trim().slice(0, 160);
  };
  function sorry(text) { const line = one('#share .sorry'); line.textContent = text; line.hidden = !text; }
  const day = (at) => new Date(at).toLocaleDateString('sv');
  async function refresh() {
    if (!dialog()?.open) return;
    const room = about;
    try {
      const found = await ask(`${address(room)}/links`);
      if (room !== about) return;
      token = found.token;
      draw(found.links);
      summary(await ask(`${address(room)}/state`));
    } catch (error) { sorry(error.message); }
  }
  function draw(links) {
    const rows = links.map((link) => {
      const row = make('li', {}, make('b', { textContent: link.note || t(link.rights) }),
        make('small', { textContent: [link.note ? t(link.rights) : '', t(link.state, { date: day(link.expires) })].filter(Boolean).join(' · ') }));
      row.dataset.state = link.state;
      if (link.state === 'open') row.append(make('button', { type: 'button', className: 'btn', textContent: t('revoke'), onclick: () => shut(link) }));
      return row;
    });
    one('#share_links').replaceChildren(...(rows.length ? rows : [make('li', {}, make('small', { textContent: t('none') }))]));
  }
  // What opens nothing any more is not offered to be copied.
  function forget(id) { const place = one('#share_made'); if (place.dataset.link === id) place.hidden = true; }
  async function shut(link) {
    if (!(await studio.sure(t('revoke_ask'), link.note || t(link.rights), () => dialog().open))) return;
    try { await ask(`${address(about)}/revoke`, { link: link.id }); forget(link.id); await refresh(); } catch (error) { sorry(error.message); }
  }
  const newest = (told) => new Map(told.verdicts.map((verdict) => [verdict.item, verdict]));
  const counts = (verdict) => verdict && !verdict.stale && !(verdict.what === 'changes' && verdict.take > 1);
  function summary(told) {
    const last = newest(told);
    const done = told.items.filter((item) => last.has(item.id));
    const changes = told.items.filter((item) => last.get(item.id)?.what === 'changes' && counts(last.get(item.id)));
    const unseen = told.items.every((item) => !item.takes.length);
    const facts = done.length ? [t('decided', { done: done.length, all: told.items.length })] : [t('nothing')];
    if (changes.length) facts.push(t('changes', { count: changes.length }));
    if (told.comments.length) facts.push(t('comments', { count: told.comments.length }));
    const way = (path, text, more = {}) => make('a', { className: 'btn raised', href: `${address(about)}/${path}?language=${dialog().dataset.language}`, textContent: text, ...more });
    one('#share_told').replaceChildren(
      unseen ? make('p', { className: 'note', textContent: t('empty') }) : '',
      make('p', { className: 'facts' }, ...facts.map((text) => make('span', { textContent: text }))),
      make('div', { className: 'actions' }, way('', t('room'), { target: '_blank', rel: 'noopener', id: 'share_room' }),
        ...(done.length || told.comments.length ? [way('decisions.csv', t('csv'), { download: '' }), way('decisions.pdf', t('pdf'), { download: '' })] : [])),
    );
  }
  async function made(event) {
    event.preventDefault();
    const form = event.target;
    sorry('');
    const base = new URL('..', location.href).href;
    try {
      await known_of;
      const { days, note, rights } = Object.fromEntries(new FormData(form));
      const found = await ask(`${address(about)}/links`, { rights, days: Number(days), note, base });
      const place = one('#share_made');
      one('img', place).src = found.code;
      one('input', place).value = found.address;
      place.dataset.link = found.link.id;
      one('.local', place).hidden = !/^(localhost|127\.|\[::1\])/.test(location.hostname);
      place.hidden = false;
      form.elements.note.value = '';
      one('input', place).select();
      await refresh();
    } catch (error) { sorry(error.message); }
  }
  async function copy(button) {
    const box = one('#share_made input');
    box.select();
    try { await navigator.clipboard.writeText(box.value); } catch { document.execCommand('copy'); }
    one('span', button).textContent = t('copied');
    setTimeout(() => { one('span', button).textContent = t('copy'); }, 1600);
  }
  document.addEventListener('submit', (event) => { if (event.target.id === 'share_form') made(event); });
  document.addEventListener('click', (event) => {
    const act = event.target.closest?.('[data-share]')?.dataset.share;
    if (act === 'close') dialog().close();
    if (act === 'copy') copy(event.target.closest('[data-share]'));
  });
  studio.here.share = open;

  // -- beside a shot or a clip: what guests said of it --------------------------------------------------------------------
  let mark = '';
  const known = new Map();
  const seen = () => all('.reviewed').filter((place) => place.parentElement?.offsetParent);
  async function told(room) {
    const [kind, id] = room.split(' ');
    const path = kind === 'asset' ? `../discuss/-/said/${encodeURIComponent(id)}` : `${address(room)}/state`;
    return ask(path).catch(() => null);
  }
  async function look() {
    // The page's own HTML comes a moment after its scripts.
    const places = document.hidden || !dialog() ? [] : seen();
    if (places.length || dialog()?.open) {
      const now = await ask('../discuss/-/now').catch(() => null);
      if (now && now.mark !== mark) { mark = now.mark; known.clear(); refresh(); }
      for (const room of new Set(places.map((place) => place.dataset.room))) if (!known.has(room)) known.set(room, await told(room));
      for (const place of places) fill(place, known.get(place.dataset.room));
    }
    setTimeout(look, BEAT);
  }
  function fill(place, found) {
    const of = (one) => !place.dataset.item || one.item === place.dataset.item;
    const verdict = found?.verdicts.filter(of).at(-1);
    const comments = (found?.comments || []).filter((comment) => of(comment) && !comment.resolved && !comment.parent);
    const key = JSON.stringify([verdict, comments.length]);
    if (place.dataset.shown === key) return;
    place.dataset.shown = key;
    const parts = [];
    if (verdict) {
      const text = verdict.what === 'approve' ? t('approved_by', { name: verdict.name }) : t('changes_by', { text: verdict.text });
      const line = make('span', { className: 'tone', textContent: counts(verdict) ? text : `${text} (${t('earlier')})`, title: `${verdict.name}: ${verdict.text}` });
      line.dataset.tone = counts(verdict) ? verdict.what : 'earlier';
      parts.push(line);
    }
    if (comments.length) {
      parts.push(make('span', { className: 'muted', textContent: t('comments', { count: comments.length }), title: comments.map((comment) => `${comment.name}: ${comment.text}`).join('\n') }));
    }
    const [kind] = place.dataset.room.split(' ');
    const inside = kind === 'asset' || !parts.length ? parts : [make('a', { href: `${address(place.dataset.room)}/?language=${dialog().dataset.language}#${encodeURIComponent(place.dataset.item)}`, target: '_blank', rel: 'noopener' }, ...parts)];
    place.replaceChildren(...inside);
  }
  setTimeout(look, BEAT);
  return {};
})();
