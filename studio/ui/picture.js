// The first picture: dropped, chosen or pasted, sent to the studio, remembered until it is removed.
window.picture = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const area = () => one('#first_picture .first-picture');
  const takes = () => one('#prompt')?.offsetParent && area();
  const image = (items) => [...(items || [])].find((item) => item.type?.startsWith('image/'));
  let sending = null;

  function said(text) {
    const place = one('.said', area());
    place.innerHTML = '';
    if (!text) return;
    const line = Object.assign(document.createElement('p'), { className: 'sorry', textContent: text });
    line.setAttribute('role', 'alert');
    place.append(line);
  }
  function refused(text) {
    const { picture, stays } = area().dataset;
    said(picture ? `${text} ${stays}` : text);
  }
  function bring(file) {
    sending?.abort();
    const language = one('.topbar')?.dataset.lang?.slice(0, 2) || 'en';
    const request = sending = new XMLHttpRequest();
    said('');
    area().setAttribute('own-busy', '');
    request.upload.addEventListener('progress', (event) => area()?.style.setProperty('--share', event.loaded / Math.max(1, event.total)));
    request.addEventListener('loadend', () => {
      if (request !== sending) return;
      sending = null;
      area()?.removeAttribute('own-busy');
      area()?.style.removeProperty('--share');
      let found = {};
      try { found = JSON.parse(request.responseText); } catch { /* no answer */ }
      if (request.status === 200 && found.id) studio.send('first_picture', { act: 'picture', key: found.id });
      else refused(found.errors?.map((error) => error.text).join(' ') || area().dataset.unsent);
    });
    request.open('POST', `../inputs?${new URLSearchParams({ language })}`);
    request.send(file);
  }

  document.addEventListener('change', (event) => {
    const input = event.target;
    if (!input.matches?.('#first_picture input[type=file]') || !input.files?.[0]) return;
    bring(input.files[0]);
    input.value = '';
  });
  document.addEventListener('paste', (event) => {
    const file = image(event.clipboardData?.files);
    if (!file || !takes() || one('dialog[open]')) return;
    event.preventDefault();
    bring(file);
  });
  // Before studio.js, which takes a dropped film for its settings.
  addEventListener('dragover', (event) => {
    if (!image(event.dataTransfer?.items) || !takes()) return;
    event.preventDefault();
    event.stopPropagation();
    const note = one('#dropping');
    note.dataset.form ??= note.textContent;
    note.textContent = area().dataset.drop;
    note.hidden = false;
  }, true);
  addEventListener('drop', (event) => {
    const file = image(event.dataTransfer?.files);
    if (!file || !takes()) return;
    event.preventDefault();
    event.stopPropagation();
    one('#dropping').hidden = true;
    bring(file);
  }, true);

  // What is shown now outlives a reload: studio.js puts it back with the rest of the form.
  function remember() {
    const shown = area();
    if (!shown) return;
    try { sessionStorage.setItem('wan_first_frame', shown.dataset.picture); } catch { /* private mode */ }
  }
  function begin() {
    if (!area() || !window.studio) { setTimeout(begin, 80); return; }
    // The first drawing is of an empty form, before the draft is put back.
    let drawn = area().dataset.picture;
    new MutationObserver(() => {
      const now = area()?.dataset.picture;
      if (now === undefined || now === drawn) return;
      drawn = now;
      remember();
    }).observe(one('#first_picture'), { subtree: true, childList: true, attributes: true, attributeFilter: ['data-picture'] });
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin); else begin();
  return { bring };
})();
