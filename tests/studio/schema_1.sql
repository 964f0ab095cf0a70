-- The database of the first studio, before there were films. {moment}: a time, {bytes}: bytes.
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
INSERT INTO schema_version (version) VALUES (1);
CREATE TABLE asset (
    id TEXT NOT NULL, job_id TEXT NOT NULL, owner TEXT NOT NULL, path TEXT NOT NULL, thumbnail TEXT NOT NULL,
    request JSON NOT NULL, form JSON NOT NULL, model TEXT NOT NULL, model_revision TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, seconds FLOAT NOT NULL, fps INTEGER NOT NULL,
    frames INTEGER NOT NULL, bytes BIGINT NOT NULL, sha256 TEXT NOT NULL, render_seconds FLOAT NOT NULL,
    created {moment} NOT NULL, PRIMARY KEY (id), UNIQUE (job_id));
CREATE INDEX asset_by_owner ON asset (owner, created);
CREATE INDEX asset_by_time ON asset (created);
CREATE TABLE flag (name TEXT NOT NULL, PRIMARY KEY (name));
CREATE TABLE job (
    id TEXT NOT NULL, owner TEXT NOT NULL, form JSON NOT NULL, request JSON NOT NULL, model TEXT NOT NULL,
    state TEXT NOT NULL, place FLOAT NOT NULL, attempt INTEGER NOT NULL, fence INTEGER NOT NULL,
    workflow_id TEXT, worker TEXT, cancel_requested BOOLEAN NOT NULL, created {moment} NOT NULL,
    started {moment}, finished {moment}, error JSON, asset_id TEXT, seconds FLOAT, tail_seconds FLOAT,
    PRIMARY KEY (id));
CREATE INDEX job_by_end ON job (state, finished);
CREATE INDEX job_by_model ON job (model, state, finished);
CREATE INDEX job_by_owner ON job (owner, created);
CREATE INDEX job_by_place ON job (state, place, created);
CREATE TABLE worker (
    id TEXT NOT NULL, device TEXT NOT NULL, pid INTEGER NOT NULL, version TEXT NOT NULL, started {moment} NOT NULL,
    heartbeat {moment} NOT NULL, job_id TEXT, PRIMARY KEY (id));
CREATE TABLE preview (
    job_id TEXT NOT NULL, picture {bytes} NOT NULL, PRIMARY KEY (job_id),
    FOREIGN KEY(job_id) REFERENCES job (id) ON DELETE CASCADE);
CREATE TABLE progress (
    job_id TEXT NOT NULL, attempt INTEGER NOT NULL, stage TEXT NOT NULL, step INTEGER NOT NULL,
    total INTEGER NOT NULL, eta FLOAT, preview_version INTEGER NOT NULL, updated {moment} NOT NULL,
    PRIMARY KEY (job_id), FOREIGN KEY(job_id) REFERENCES job (id) ON DELETE CASCADE);
INSERT INTO job (id, owner, form, request, model, state, place, attempt, fence, cancel_requested, created)
    VALUES ('waiting', 'ann', '{form}', '{request}', 'sketch', 'queued', 5.0, 0, 0, false, '2026-05-01 10:00:00'),
           ('made', 'ann', '{form}', '{request}', 'sketch', 'done', 4.0, 1, 2, false, '2026-05-01 09:00:00');
UPDATE job SET asset_id = 'kept', finished = '2026-05-01 09:30:00', seconds = 9.5, tail_seconds = 0.5
    WHERE id = 'made';
INSERT INTO asset VALUES (
    'kept', 'made', 'ann', 'media/kept.mp4', 'media/kept.webp', '{request}', '{form}', 'sketch', 'abc', 256, 256,
    2.1, 8, 17, 7, '00', 9.5, '2026-05-01 09:30:00');
