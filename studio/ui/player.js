// The player: play, step, scrub; thumbnails that play while one points at them; films and pictures that are gone.
window.player = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const filmOf = (element) => one('video', element.closest('.player'));
  const film = () => all('.player video').find((video) => video.offsetParent);
  const framesOf = (video) => Number(video.dataset.frames) || 1;
  const frameOf = (video) => Math.min(framesOf(video) - 1, Math.floor(video.currentTime * Number(video.dataset.fps) + 0.01));
  function toggle(video) {
    if (!video) return;
    if (video.paused) video.play().catch(() => {}); else video.pause();
  }
  function show(video, frame) {
    video.pause();
    const last = framesOf(video) - 1;
    // The middle of a frame's time: its edge may round to the one before.
    video.currentTime = (Math.max(0, Math.min(last, frame)) + 0.5) / Number(video.dataset.fps);
  }
  const stepFrame = (video, by) => video?.dataset.fps && show(video, frameOf(video) + by);
  // A film is told in minutes and seconds, a clip in frames.
  const FINE = 1000;
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
  function tellTime(video, player) {
    const length = video.duration || 1;
    const scrub = one('.scrub', player);
    scrub.max = FINE;
    scrub.value = (FINE * video.currentTime) / length;
    scrub.style.setProperty('--at', `${(100 * video.currentTime) / length}%`);
    one('.counter', player).textContent = `${clock(video.currentTime)} / ${clock(Math.round(video.duration || 0))}`;
  }
  function tell(video) {
    const player = video.closest('.player');
    player.classList.toggle('paused', video.paused);
    if (video.dataset.clock !== undefined) { tellTime(video, player); return; }
    const frame = frameOf(video);
    one('.scrub', player).value = frame;
    one('.scrub', player).style.setProperty('--at', `${(100 * frame) / Math.max(1, framesOf(video) - 1)}%`);
    one('.counter', player).textContent = `${frame + 1} / ${framesOf(video)}`;
  }
  function keepTelling(video) {
    if (!video.isConnected) return;
    tell(video);
    if (!video.paused) requestAnimationFrame(() => keepTelling(video));
  }
  function sought(video, value) {
    if (video.dataset.clock === undefined) show(video, value);
    else if (video.duration) video.currentTime = (value / FINE) * video.duration;
  }
  const inPlayer = (event) => event.target.matches?.('.player video');
  document.addEventListener('loadeddata', (event) => {
    if (!event.target.autoplay) return;
    // Some browsers forget that a film put in later is muted, and then refuse to play it.
    event.target.muted = true;
    if (calm()) event.target.pause(); else event.target.play().catch(() => {});
  }, true);
  for (const name of ['play', 'pause', 'seeked', 'loadeddata']) {
    document.addEventListener(name, (event) => inPlayer(event) && keepTelling(event.target), true);
  }
  document.addEventListener('click', (event) => inPlayer(event) && toggle(event.target));
  document.addEventListener('input', (event) => {
    if (event.target.matches('.scrub')) sought(filmOf(event.target), Number(event.target.value));
  });
  // A file that is gone from the disk leaves a quiet place, not a broken picture.
  document.addEventListener('error', (event) => {
    if (event.target.matches?.('.card img, .cell img, .still img')) event.target.parentElement.classList.add('missing');
    if (inPlayer(event)) event.target.closest('.player').classList.add('missing');
    if (event.target.matches?.('.live')) event.target.style.visibility = 'hidden';
  }, true);
  document.addEventListener('load', (event) => {
    if (!event.target.matches?.('.live')) return;
    event.target.style.visibility = '';
    event.target.closest('#stage, #story_stage')?.style.setProperty('--last', `url("${event.target.currentSrc}")`);
  }, true);

  // -- thumbnails play while one points at them ----------------------------------------------------------------
  let playing = null;
  document.addEventListener('pointerover', (event) => {
    const holder = event.target.closest?.('[data-film]');
    if (playing && playing.holder !== holder) { playing.video.remove(); playing = null; }
    if (!holder || playing || event.pointerType === 'touch' || calm()) return;
    const video = Object.assign(document.createElement('video'), { muted: true, loop: true, playsInline: true, src: holder.dataset.film });
    video.play().catch(() => {});
    holder.append(video);
    playing = { holder, video };
  });
  const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
  // -- a film whose file was removed by hand: say so instead of a black picture ------------------------------
  document.addEventListener('error', async (event) => {
    const film = event.target;
    if (!film.dataset?.missing || !film.src) return;
    const answer = await fetch(film.src, { method: 'HEAD' }).catch(() => null);
    if (answer?.status !== 404 || !film.isConnected) return;
    const veil = document.createElement('div');
    veil.className = 'veil';
    veil.textContent = film.dataset.missing;
    film.closest('.player').replaceWith(veil);
  }, true);
  return { film, filmOf, toggle, step: stepFrame, calm };
})();
